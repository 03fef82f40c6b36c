"""All methods of the comparison train the configurations that a run of ours tries."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.against_peers import draw_configurations, proportional_bytes, watch_memory
from benchmarks.peers.same_work import EPOCHS, Work
from benchmarks.peers.work_of_ours import build_job
from benchmarks.simulated_run import open_steps
from trainables.trials.task import TrialTask


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(
        dataset="digits",
        train_size=100,
        image_size=8,
        seed=0,
        configurations=(),
        workers=1,
        cache=tmp_path,
        arrays=tmp_path / "arrays.npz",
        output=tmp_path / "outcome.json",
    )


def test_the_peers_train_what_a_run_of_ours_tries(work: Work, tmp_path: Path) -> None:
    work = replace(work, configurations=draw_configurations(work, 6))
    work.write(tmp_path / "work.json")
    read = Work.read(tmp_path / "work.json")
    job = build_job(read)
    steps, _ = open_steps(job, tmp_path, trials=6, epochs=EPOCHS, sampler="random", slots=6)
    for expected in read.configurations:
        task = steps.next_task()
        assert isinstance(task, TrialTask)
        filters = (expected["filters_1"], expected["filters_2"], expected["filters_3"])
        assert task.config["filters"] == [width for width in filters if width]
        assert task.config["dense"] == [expected["dense_1"]]
        same = expected.keys() & task.config.keys()
        assert same == {"dropout", "optimizer", "lr", "l2", "batch_size"}
        assert {name: task.config[name] for name in same} == {n: expected[n] for n in same}
        assert task.config["schedule"] == "constant"
        steps.on_failure(task, "nothing is trained here")


def test_the_memory_of_what_a_process_starts_counts() -> None:
    child = "import time; block = b'x' * 50_000_000; time.sleep(1)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", start])
    assert watch_memory(process, seconds=0.05) > 50_000_000
    assert process.returncode == 0
    assert proportional_bytes(process.pid) == 0
