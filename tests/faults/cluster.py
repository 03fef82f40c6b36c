"""A Ray cluster on this machine, for as long as the standard input is open.

    python cluster.py FOLDER NODE=CPUS ...

The first node is the head; each has a temporary folder of its own, FOLDER/NODE. It is a process of
its own, since Ray leaves sockets open that pytest would complain about. What it has started is
printed as a line of JSON: `address`, and `raylets`, process ids by node. A line NODE=CPUS on the
standard input adds a node, which is printed likewise.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ["RAY_TMPDIR"] = str(folder)  # Ray writes the address of a cluster there too
    (folder / "ray").mkdir(parents=True, exist_ok=True)
    from ray.cluster_utils import Cluster

    cluster = Cluster()

    def add(word: str) -> dict[str, int]:
        name, cpus = word.split("=")
        node = cluster.add_node(
            num_cpus=int(cpus), temp_dir=str(folder / name), include_dashboard=False
        )
        return {name: node.all_processes["raylet"][0].process.pid}

    raylets = {name: pid for word in sys.argv[2:] for name, pid in add(word).items()}
    print(json.dumps({"address": cluster.address, "raylets": raylets}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"raylets": add(line.strip())}), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
