"""What a trial costs the driver, after few trials and after many.

    python benchmarks/driver_cost.py [--trials 100,1000] [--samplers random,tpe]

Trials that report once and train nothing, through the same loop, search and record as a run's:
Ray Tune on one CPU, a journal on disk. Each number of trials is a driver of its own, since memory
is never given back. Told are the driver's memory (VmRSS) as the last trial has ended, its CPU time
per trial over the last hundred trials, and that part of it in which a trial is proposed: the
sampler's own work, and some lines of the journal.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

    from trainables.trials.report import Report
    from trainables.trials.task import Task
    from tune_jobs.engine.stages.search import Search

LAST = 100
"""Trials over which the cost of one is taken."""


def report_once(config: dict[str, Any]) -> None:
    from ray import tune

    from trainables.metrics import EpochMetrics
    from trainables.trials.report import EpochReport
    from tune_jobs.engine.ray_tune.bridge import pack_report

    value = config["config"]["lr"]
    metrics = EpochMetrics(epoch=1, val_accuracy=value, val_loss=0.0, seconds=0.0)
    tune.report(pack_report(EpochReport(metrics=metrics)))


def space(trial: Any) -> None:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("optimizer", ("sgd", "adam"))
    trial.suggest_int("width", 16, 1024, log=True)
    trial.suggest_float("dropout", 0.0, 0.6)


class Source:
    """A search, whose cost is noted as it begins its last trials and when it is over."""

    def __init__(self, search: "Search", trials: int) -> None:
        self._search = search
        self._trials = trials
        self.begun = 0
        self.seconds_proposing = 0.0
        self.memory_mib = 0.0
        self.at_last: tuple[float, float] | None = None
        self.at_end: tuple[float, float] | None = None

    @property
    def finished(self) -> bool:
        return bool(self._search.finished)

    def next_task(self) -> "Task | None":
        if self.begun == self._trials - LAST and self.at_last is None:
            self.at_last = time.process_time(), self.seconds_proposing
        if self._search.finished and self.at_end is None:
            self.at_end = time.process_time(), self.seconds_proposing
            self.memory_mib = resident_mib()
        started = time.process_time()
        task = self._search.next_task()
        self.seconds_proposing += time.process_time() - started
        self.begun += task is not None
        return task

    def on_start(self, task: "Task") -> None: ...

    def on_report(self, task: "Task", report: "Report") -> bool:
        return self._search.on_report(task.number, report)  # type: ignore[union-attr, arg-type]

    def on_failure(self, task: "Task", cause: str) -> None:
        raise RuntimeError(cause)


def drive(trials: int, sampler: str) -> dict[str, float]:
    """In a process of its own."""
    from tune_jobs.engine.cluster.start import QUIET

    os.environ.update(QUIET)
    import ray

    from trainables.config import Runtime
    from trainables.metrics import METRICS
    from tune_jobs.engine.ray_tune.tuner import run_tasks
    from tune_jobs.engine.record.journal import open_journal
    from tune_jobs.engine.record.record import Record
    from tune_jobs.engine.run_state.resources import Resources
    from tune_jobs.engine.search.early_stopping import Never
    from tune_jobs.engine.search.limits import ModelLimits, SearchLimits
    from tune_jobs.engine.stages.search import Search, SearchPlan

    plan = SearchPlan(
        space=space,
        architecture="none",
        defaults={},
        centre={},
        first=[],
        trials=trials,
        epochs=1,
        sampler=sampler,
        seed=0,
        runtime=Runtime(device="cpu"),
        limits=SearchLimits(),
        model_limits=ModelLimits(),
    )
    with tempfile.TemporaryDirectory() as folder:
        ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
        storage = open_journal(Path(folder) / "study.journal")
        record = Record.open(storage, "cost/run", _name, METRICS["accuracy"])
        source = Source(Search(plan, record, Never()), trials)
        run_tasks(source, report_once, Resources(cpus=1, gpus=0), max_failures=0)
        ray.shutdown()
    assert source.at_last
    assert source.at_end
    cpu, proposing = (
        (end - begin) / LAST for begin, end in zip(source.at_last, source.at_end, strict=True)
    )
    return {"memory_mib": source.memory_mib, "cpu_seconds": cpu, "proposing_seconds": proposing}


def _name(trial: "Trial | FrozenTrial") -> str:
    return f"trial-{trial.number:04d}"


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measure(trials: int, sampler: str) -> dict[str, float]:
    words = [sys.executable, __file__, "--drive", str(trials), sampler]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", default="100,1000", help="in each run (default: 100,1000)")
    parser.add_argument("--samplers", default="random,tpe", help="(default: random,tpe)")
    parser.add_argument("--drive", nargs=2, metavar=("TRIALS", "SAMPLER"), help="one run only")
    given = parser.parse_args()
    if given.drive:
        print(json.dumps(drive(int(given.drive[0]), given.drive[1])))
        return
    print(f"{'sampler':8}{'trials':>8}{'MiB':>9}{'CPU ms/trial':>14}{'of it proposing':>17}")
    for sampler in given.samplers.split(","):
        for trials in map(int, given.trials.split(",")):
            figures = measure(trials, sampler)
            print(
                f"{sampler:8}{trials:>8}{figures['memory_mib']:>9.1f}"
                f"{1e3 * figures['cpu_seconds']:>14.1f}"
                f"{1e3 * figures['proposing_seconds']:>17.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
