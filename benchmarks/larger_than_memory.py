"""A search on images that are larger than memory, against the same search on a set that fits.

    python -m benchmarks.larger_than_memory FOLDER --images 40000 --memory-gb 3

Pictures of two classes are made in FOLDER, decoded to 224 x 224 x 3 (150 kB each), and searched: 4
trials of 1 epoch, two at a time. Ray's object store is as small as Ray allows, 75 MiB. The limit of
memory is that of a control group, for which this has to be root; without `--memory-gb` the
machine's own memory is the limit. It prints for both sets, in turns, images per second of a trial
(median and range over trials and repetitions), and the most memory that a worker, and the driver,
have of their own, beyond the pages of mapped files.
"""

import argparse
import io
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

if TYPE_CHECKING:
    from optuna import Trial

PIXELS = 224
SMALL_PIXELS = 32  # of the encoded pictures: they are resized as they are decoded
SLOTS = 2
TRIALS = 4
OBJECT_STORE_BYTES = 75 * 2**20
GROUPS = Path("/sys/fs/cgroup/memory")
EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search took; rates are in images per second, bytes are at their peak."""

    rates: list[float]
    worker_bytes: int
    driver_bytes: int
    seconds: float


def space(trial: "Trial") -> dict[str, Any]:
    """Search the learning rate of a network that costs little beside the reading of its images."""
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    return {"resize": 56, "filters": (16, 32), "dense": (32,), "batch_size": 64}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where there is room for all that is made")
    parser.add_argument("--images", type=int, default=40_000, help="of the larger set")
    parser.add_argument("--fitting", type=int, default=4_000, help="images of the set that fits")
    parser.add_argument("--memory-gb", type=float, help="a limit (default: the machine's memory)")
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        print(json.dumps(search(given.search, given.folder)))
        return
    counts = {"fits": given.fitting, "larger": given.images}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in counts}
    for count in counts.values():
        make_pictures(given.folder / f"{count}.parquet", count)
    with memory_limit(given.memory_gb) as procs:
        for _ in range(given.repetitions):
            for name, count in counts.items():
                outcomes[name].append(watch(given.folder, count, procs))
    columns = f"{'GB':>6}{'images/s':>10}{'from':>7}{'to':>7}{'worker MB':>11}{'driver MB':>11}"
    print(f"{'':8}{columns}{'seconds':>9}")
    for name, found in outcomes.items():
        print(row(name, counts[name], found))
    fits, larger = (statistics.median(rates(found)) for found in outcomes.values())
    print(f"images/s, larger / fits: {larger / fits:.2f}")


def row(name: str, count: int, found: list[Outcome]) -> str:
    speeds = rates(found)
    gigabytes = count * PIXELS * PIXELS * 3 / 1e9
    cells = (statistics.median(speeds), min(speeds), max(speeds))
    worker = max(outcome.worker_bytes for outcome in found) / 1e6
    driver = max(outcome.driver_bytes for outcome in found) / 1e6
    seconds = statistics.median(outcome.seconds for outcome in found)
    return (
        f"{name:8}{gigabytes:6.1f}{cells[0]:10.0f}{cells[1]:7.0f}{cells[2]:7.0f}{worker:11,.0f}"
        f"{driver:11,.0f}{seconds:9,.0f}"
    )


def rates(found: list[Outcome]) -> list[float]:
    return [rate for outcome in found for rate in outcome.rates]


def make_pictures(file: Path, count: int) -> None:
    """Write a Parquet file of PNGs, class after class: one is brighter on the left."""
    generator = np.random.default_rng(0)
    ramp = np.linspace(40, 0, SMALL_PIXELS)[None, :, None]
    images, labels = [], []
    for index in range(count):
        label = 2 * index // count
        noise = generator.integers(0, 200, (SMALL_PIXELS, SMALL_PIXELS, 3))
        pixels_HWC = (noise + (ramp if label else ramp[:, ::-1])).astype(np.uint8)
        Image.fromarray(pixels_HWC).save(png := io.BytesIO(), "png", compress_level=1)
        images.append({"bytes": png.getvalue(), "path": None})
        labels.append(label)
    pq.write_table(pa.table({"image": images, "label": labels}), file, row_group_size=1000)


@contextmanager
def memory_limit(gigabytes: float | None) -> Iterator[Path | None]:
    """Make a control group; yields the file that takes the processes in it."""
    if gigabytes is None:
        yield None
        return
    group = Path(tempfile.mkdtemp(prefix="larger-", dir=GROUPS))
    try:
        (group / "memory.limit_in_bytes").write_text(str(int(gigabytes * 1e9)))
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def watch(folder: Path, count: int, procs: Path | None) -> Outcome:
    """Search in a process of its own, and look at the memory of all that it starts."""

    def enter() -> None:
        if procs:
            procs.write_text(str(os.getpid()))

    words = [sys.executable, "-m", "benchmarks.larger_than_memory", str(folder)]
    words += ["--search", str(folder / f"{count}.parquet")]
    started = time.perf_counter()
    peaks = {"worker": 0, "driver": 0}
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, preexec_fn=enter)
    while child.poll() is None:
        for pid in processes(child.pid):
            name, own = memory_of(pid)
            kind = "driver" if pid == child.pid else "worker" if name.startswith("ray::") else None
            if kind:
                peaks[kind] = max(peaks[kind], own)
        time.sleep(EVERY_SECONDS)
    assert child.stdout
    said = child.stdout.read()
    if child.returncode:
        sys.exit(f"the search ended with status {child.returncode}")
    return Outcome(
        rates=json.loads(said.splitlines()[-1]),
        worker_bytes=peaks["worker"],
        driver_bytes=peaks["driver"],
        seconds=time.perf_counter() - started,
    )


def processes(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it has ended
            continue
        for child in found:
            yield from processes(int(child))


def memory_of(pid: int) -> tuple[str, int]:
    """A process's command line, and the bytes of memory that are no pages of files."""
    try:
        name = Path(f"/proc/{pid}/cmdline").read_text()
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return "", 0
    fields = dict(line.split(":", 1) for line in lines)
    return name, int(fields.get("RssAnon", "0 kB").split()[0]) * 1024


def search(pictures: Path, folder: Path) -> list[float]:
    """Search, and return each trial's images per second."""
    from tune_jobs.engine.cluster.start import PATIENT, QUIET

    os.environ.update(QUIET | PATIENT)
    import ray

    from benchmarks.larger_than_memory import space as by_name  # as workers know it
    from trainables.datasets import load_dataset
    from tune_jobs.engine import Job, run

    job = Job(
        name="larger_than_memory",
        dataset=f"parquet:{pictures}",
        architecture="cnn",
        space=by_name,
        trials=TRIALS,
        epochs=1,
        image_size=PIXELS,
    )
    ray.init(
        num_cpus=SLOTS,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    with tempfile.TemporaryDirectory(dir=folder) as storage:
        result = run(job, data_dir=folder, storage=storage, retrain_top=1, retrain_seeds=1)
        data = load_dataset(job.dataset, data_dir=folder, image_size=PIXELS)
        return [len(data.known_indices) / seconds for seconds in read_seconds(result.folder)]


def read_seconds(folder: str) -> list[float]:
    """Read what the epochs of the search took."""
    from tune_jobs.engine.record.recorded_trial import RecordedTrial
    from tune_jobs.engine.record.study_storage import read_studies
    from tune_jobs.engine.run_state.folder import open_place, run_folder

    with run_folder(open_place(folder)) as opened:
        info = opened.read_info()
        assert info is not None
        with read_studies(opened, info) as (study, _):
            trials = [RecordedTrial(trial) for trial in study.get_trials()]
    return [epoch.seconds for trial in trials for epoch in trial.epochs.values()]


if __name__ == "__main__":
    main()
