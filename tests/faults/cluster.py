"""A Ray cluster on this machine, for as long as the standard input is open.

    python cluster.py FOLDER NODE=CPUS ...

The first node is the head; each has a temporary folder of its own, FOLDER/NODE. It is a process of
its own, since Ray leaves sockets open that pytest would complain about. What it has started is
printed as a line of JSON: `address`, `raylets`, process ids by node, and `ids`, Ray's, by node.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    nodes = dict(word.split("=") for word in sys.argv[2:])
    os.environ["RAY_TMPDIR"] = str(folder)  # Ray writes the address of a cluster there too
    (folder / "ray").mkdir(parents=True, exist_ok=True)
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    started = {
        name: cluster.add_node(
            num_cpus=int(cpus), temp_dir=str(folder / name), include_dashboard=False
        )
        for name, cpus in nodes.items()
    }
    raylets = {n: node.all_processes["raylet"][0].process.pid for n, node in started.items()}
    ids = {name: node.node_id for name, node in started.items()}
    print(json.dumps({"address": cluster.address, "raylets": raylets, "ids": ids}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
