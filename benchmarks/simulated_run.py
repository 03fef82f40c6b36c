"""A run that trains nothing: its real parts, fed with reports that are drawn."""

import io
import math
import random
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Console

from trainables.config import Runtime
from trainables.metrics import EpochMetrics
from trainables.trials.report import EpochReport, TrainingCost
from tune_jobs.engine.job import Job
from tune_jobs.engine.job_checks import check_job
from tune_jobs.engine.options import Options
from tune_jobs.engine.progress import Progress
from tune_jobs.engine.ray_tune.bridge import Bridge, pack_report
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.results.tensorboard.trial_logs import TrialLogs
from tune_jobs.engine.run_state.folder import RunFolder, open_place, place_of
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.plan import RunRequest
from tune_jobs.engine.stages.steps import Steps


class Nowhere(io.StringIO):
    """A terminal that nobody looks at."""

    def write(self, text: str) -> int:
        return len(text)


def draw_report(number: int, epoch: int) -> EpochReport:
    """Draw what a trial reports: accuracies that rise with the epochs to a level of its own."""
    level = random.Random(number).uniform(0.3, 0.9)
    noise = random.Random(f"{number} {epoch}").gauss(0, 0.01)
    accuracy = max(0.0, level * (1 - math.exp(-epoch / 3)) + noise)
    metrics = EpochMetrics(
        epoch=epoch,
        seconds=0.1 + 0.1 * random.Random(number).random(),
        val_loss=2.3 - 2 * accuracy,
        val_accuracy=accuracy,
        val_balanced_accuracy=accuracy - 0.01,
        val_macro_f1=accuracy - 0.02,
        val_auroc=(1 + accuracy) / 2,
        train_loss=2.2 - 2 * accuracy,
        train_accuracy=accuracy + 0.01,
        lr=0.01 / epoch,
        num_micro_batches=1,
        num_parameters=123_456,
    )
    return EpochReport(metrics=metrics)


def open_steps(
    job: Job, storage: Path, *, trials: int, epochs: int, sampler: str, slots: int
) -> tuple[Steps, Progress]:
    """Begin a run as `pipeline.py` does, without data and cluster."""

    options = Options.resolve(
        job, trials=trials, epochs=epochs, sampler=sampler, storage=str(storage)
    )
    place = place_of(open_place(str(storage)), job.name, options.run_id)
    folder = RunFolder(place, storage / "run")
    folder.local.mkdir()
    checked = check_job(job, options.epochs, None)
    request = RunRequest(
        job=job,
        options=options,
        folder=folder,
        studies=open_journal(folder.journal),
        checked=checked,
    )
    info = RunInfo(
        run_id=options.run_id,
        job=job.name,
        dataset=job.dataset,
        data=job.dataset,
        notes=(),
        dataset_fingerprint="",
        split_fingerprint="",
        architecture=job.architecture,
        space="",
        epochs=options.epochs,
        features=None,
        weights="scratch",
        options=options,
        published=job.published,
        git_commit=None,
        versions={},
        command="",
        started_at="",
        runtime=Runtime(device="cpu"),
        costs={
            name: TrainingCost(multiply_adds=rank, epoch_seconds=0.1)
            for rank, name in enumerate(job.architectures)
        },
        default_configs=checked.defaults,
    )
    progress = Progress(info, Console(file=Nowhere(), force_terminal=True, width=100))
    logs = TrialLogs(folder.tensorboard, checked.distributions)
    return Steps(request, info, [progress, logs], lambda: slots), progress


def feed(bridge: Bridge, progress: Progress, slots: int) -> None:
    """Begin trials as slots become free, and report an epoch of each in turn."""
    running: deque[tuple[dict[str, Any], int]] = deque()
    with progress:
        while True:
            while len(running) < slots and (config := bridge.next_config()):
                bridge.on_start(config)
                running.append((config, 1))
            config, epoch = running.popleft()
            if bridge.on_report(config, pack_report(draw_report(config["number"], epoch))):
                running.append((config, epoch + 1))
