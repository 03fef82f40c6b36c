"""Trials per minute on 1, 2 and 3 nodes of one CPU each, for trials that sleep.

    python benchmarks/cluster_scaling.py [--seconds 4] [--epochs 8] [--trials-per-node 8]

All else is as in a run: Optuna proposes, Ray Tune places the trials, every report is written to a
journal before the scheduler answers. Since the trials take no processor, what is measured is the
driver: whether it keeps every node busy. Efficiency is the rate per node over that of one node.
The nodes are raylets on this machine. A rate is that of the trials after the first of every node:
starting worker processes is left out.
"""

import argparse
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tune_jobs.engine.cluster.start import QUIET

os.environ |= QUIET

import ray
from optuna import Trial
from ray import tune
from ray.cluster_utils import Cluster

from trainables.config import Runtime
from trainables.metrics import METRICS, EpochMetrics
from trainables.trials.report import EpochReport, Report
from trainables.trials.task import Task, TrialTask
from tune_jobs.engine.ray_tune.bridge import pack_report
from tune_jobs.engine.ray_tune.tuner import run_tasks
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.run_state.resources import Resources
from tune_jobs.engine.search.early_stopping import Never
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
from tune_jobs.engine.stages.plan import SearchPlan
from tune_jobs.engine.stages.search import Search

OBJECT_STORE_BYTES = 100_000_000


def space(trial: Trial) -> None:
    for name in ("lr", "l2", "dropout", "momentum"):
        trial.suggest_float(name, 1e-4, 0.9, log=True)


class Source:
    """A search whose trials all end at their full budget."""

    def __init__(self, journal: Path, *, trials: int, epochs: int) -> None:
        plan = SearchPlan(
            space=space,
            architecture="",
            defaults={},
            centre={},
            first=[],
            trials=trials,
            epochs=epochs,
            sampler="tpe",
            seed=0,
            runtime=Runtime(device="cpu"),
            limits=SearchLimits(),
            model_limits=ModelLimits(),
        )
        self._epochs = epochs
        studies = open_journal(journal)
        record = Record.open(studies, "sleep", lambda t: f"trial-{t.number}", METRICS["accuracy"])
        self._search = Search(plan, record, Never())
        self.ends: list[float] = []

    @property
    def finished(self) -> bool:
        return self._search.finished

    def next_task(self) -> Task | None:
        return self._search.next_task()

    def on_start(self, task: Task) -> None: ...

    def on_report(self, task: Task, report: Report) -> bool:
        assert isinstance(task, TrialTask)
        assert isinstance(report, EpochReport)
        if report.metrics.epoch == self._epochs:
            self.ends.append(time.monotonic())
        return self._search.on_report(task.number, report)

    def on_failure(self, task: Task, cause: str) -> None:
        raise RuntimeError(f"{task.name}: {cause}")


def sleep(config: dict[str, Any]) -> None:
    """A trial: its epochs take the same time whatever the machine does besides."""
    epochs, seconds = config["config"]["epochs"], float(os.environ["EPOCH_SECONDS"])
    for epoch in range(1, epochs + 1):
        time.sleep(seconds)
        value = 0.5 + 0.001 * config["number"]
        metrics = EpochMetrics(epoch=epoch, val_accuracy=value, val_loss=1.0, seconds=seconds)
        tune.report(pack_report(EpochReport(metrics=metrics)))


def trials_per_minute(nodes: int, *, seconds: float, epochs: int, trials: int) -> float:
    node = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES}
    head = {**node, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(**node)
        cluster.wait_for_nodes()
        environment = {"env_vars": {"EPOCH_SECONDS": str(seconds / epochs)}}
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        ray.init(cluster.address, runtime_env=environment, **quiet)
        with tempfile.TemporaryDirectory() as folder:
            source = Source(Path(folder) / "study.journal", trials=trials, epochs=epochs)
            run_tasks(source, sleep, Resources(cpus=1, gpus=0), max_failures=0)
    finally:
        ray.shutdown()
        cluster.shutdown()
    return 60 * (trials - nodes) / (source.ends[-1] - source.ends[nodes - 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of a trial")
    parser.add_argument("--epochs", type=int, default=8, help="of a trial, each reported")
    parser.add_argument("--trials-per-node", type=int, default=8)
    given = parser.parse_args()
    print(f"a trial sleeps {given.seconds:g} s: at most {60 / given.seconds:.1f} a minute and node")
    alone = 0.0
    for nodes in (1, 2, 3):
        trials = given.trials_per_node * nodes
        rate = trials_per_minute(nodes, seconds=given.seconds, epochs=given.epochs, trials=trials)
        alone = alone or rate
        efficiency = rate / (nodes * alone)
        print(
            f"{nodes} nodes: {rate:5.1f} trials per minute, efficiency {efficiency:.2f}", flush=True
        )


if __name__ == "__main__":
    main()
