"""What a trial costs the driver, after few trials and after many.

    python -m benchmarks.driver_cost [--at 100,10000] [--slots 2,200] [--jobs digits_cnn,auto]
        [--samplers prior,random] [--ray]

A run of `--epochs` epochs and ASHA with its real parts: `Steps`, the record in a journal on disk,
sampler, stopping rule, TensorBoard's logs and the live view. Nothing is trained: accuracies are
drawn. Reports of `--slots` trials come in turn, as JSON, without Ray; with `--ray` Ray Tune's loop
has worker processes on one CPU report them. Each run is a process of its own.

Told are, of the hundred trials that end after `--at` of them have: the driver's CPU time per trial,
the part of it in which trials are proposed, and epochs reported per second of CPU time; and the
driver's memory then (VmRSS). The line below says how memory grows from the first to the last.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainables.trials.report import Report
    from trainables.trials.task import Task
    from tune_jobs.engine.job import Job
    from tune_jobs.engine.progress import Progress
    from tune_jobs.engine.stages.steps import Steps

WINDOW = 100
"""Trials over which the cost of one is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Says what a process is to run."""

    job: str
    sampler: str
    slots: int
    epochs: int
    at: Sequence[int]
    ray: bool

    @property
    def trials(self) -> int:
        return max(self.at) + WINDOW + self.slots


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Sums up what a driver has done so far."""

    cpu_seconds: float
    proposing_seconds: float
    num_reports: int
    memory_mib: float


class EnoughError(Exception):
    """The last trial that is looked at has ended."""


class Meter:
    """A source of tasks that notes what the one behind it costs.

    Attributes:
        noted: The states by the number of trials that have ended.
    """

    def __init__(self, steps: "Steps", at: Sequence[int]) -> None:
        self.noted: dict[int, State] = {}
        self._steps = steps
        self._at = {count for first in at for count in (first, first + WINDOW)}
        self._num_ended = self._num_reports = 0
        self._proposing_seconds = 0.0

    @property
    def finished(self) -> bool:
        return self._steps.finished

    def next_task(self) -> "Task | None":
        began = time.process_time()
        task = self._steps.next_task()
        self._proposing_seconds += time.process_time() - began
        return task

    def on_start(self, task: "Task") -> None:
        self._steps.on_start(task)

    def on_report(self, task: "Task", report: "Report") -> bool:
        goes_on = self._steps.on_report(task, report)
        self._num_reports += 1
        self._num_ended += not goes_on
        if self._num_ended in self._at and self._num_ended not in self.noted:
            self.noted[self._num_ended] = State(
                cpu_seconds=time.process_time(),
                proposing_seconds=self._proposing_seconds,
                num_reports=self._num_reports,
                memory_mib=resident_mib(),
            )
            if len(self.noted) == len(self._at):
                raise EnoughError
        return goes_on

    def on_failure(self, task: "Task", cause: str) -> None:
        raise RuntimeError(cause)


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def report_all(config: dict[str, Any], epochs: int) -> None:
    """Report as a trial does; Ray Tune may end it within a report."""
    from ray import tune

    from benchmarks.simulated_run import draw_report
    from tune_jobs.engine.ray_tune.bridge import pack_report

    for epoch in range(1, epochs + 1):
        tune.report(pack_report(draw_report(config["number"], epoch)))


def drive(asked: Asked) -> dict[int, State]:
    """Run until the last state is noted; in a process of its own."""
    from benchmarks.simulated_run import feed, open_steps
    from tune_jobs.engine.ray_tune.bridge import Bridge

    job: Job = importlib.import_module(f"tune_jobs.{asked.job}").JOB
    with tempfile.TemporaryDirectory() as folder:
        steps, progress = open_steps(
            job,
            Path(folder),
            trials=asked.trials,
            epochs=asked.epochs,
            sampler=asked.sampler,
            slots=asked.slots,
        )
        meter = Meter(steps, asked.at)
        try:
            if asked.ray:
                feed_by_ray(meter, progress, asked)
            else:
                feed(Bridge(meter, max_failures=0), progress, asked.slots)
        except EnoughError:
            return meter.noted
    raise RuntimeError(f"it ended before {max(asked.at) + WINDOW} trials had")


def feed_by_ray(meter: Meter, progress: "Progress", asked: Asked) -> None:
    from functools import partial

    import ray

    from tune_jobs.engine.ray_tune.tuner import run_tasks
    from tune_jobs.engine.run_state.resources import Resources

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    resources = Resources(cpus=1 / asked.slots, gpus=0)
    with progress:
        run_tasks(meter, partial(report_all, epochs=asked.epochs), resources, max_failures=0)


def measure(asked: Asked) -> dict[int, State]:
    words = [sys.executable, "-m", "benchmarks.driver_cost", "--drive", json.dumps(asdict(asked))]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    stored: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return {int(count): State(**state) for count, state in stored.items()}


def show(asked: Asked, noted: dict[int, State]) -> None:
    for first in asked.at:
        begin, end = noted[first], noted[first + WINDOW]
        cpu = end.cpu_seconds - begin.cpu_seconds
        proposing = end.proposing_seconds - begin.proposing_seconds
        print(
            f"{asked.job:14}{asked.sampler:8}{asked.slots:>6}{first:>8}"
            f"{1e3 * cpu / WINDOW:>14.1f}{1e3 * proposing / WINDOW:>17.1f}"
            f"{(end.num_reports - begin.num_reports) / cpu:>11.0f}{begin.memory_mib:>9.0f}",
            flush=True,
        )
    first, last = min(asked.at), max(asked.at)
    if first < last:
        grown = noted[last].memory_mib - noted[first].memory_mib
        print(f"{'':14}{1000 * grown / (last - first):.1f} MiB per 1,000 trials", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--at", default="100,10000", help="ended trials (default: 100,10000)")
    parser.add_argument("--slots", default="2,200", help="trials at once (default: 2,200)")
    parser.add_argument("--jobs", default="digits_cnn", help="modules of tune_jobs")
    parser.add_argument("--samplers", default="prior", help="(default: prior)")
    parser.add_argument("--epochs", type=int, default=9, help="(default: 9)")
    parser.add_argument("--ray", action="store_true", help="through Ray Tune's loop")
    parser.add_argument("--drive", metavar="JSON", help="one run only")
    given = parser.parse_args()
    if given.drive:
        from tune_jobs.engine.cluster.start import QUIET

        os.environ.update(QUIET)
        noted = drive(Asked(**json.loads(given.drive)))
        print(json.dumps({count: asdict(state) for count, state in noted.items()}))
        return
    print(
        f"{'job':14}{'sampler':8}{'slots':>6}{'ended':>8}{'CPU ms/trial':>14}"
        f"{'of it proposing':>17}{'reports/s':>11}{'MiB':>9}"
    )
    for job in given.jobs.split(","):
        for sampler in given.samplers.split(","):
            for slots in map(int, given.slots.split(",")):
                asked = Asked(
                    job=job,
                    sampler=sampler,
                    slots=slots,
                    epochs=given.epochs,
                    at=[int(count) for count in given.at.split(",")],
                    ray=given.ray,
                )
                show(asked, measure(asked))


if __name__ == "__main__":
    main()
