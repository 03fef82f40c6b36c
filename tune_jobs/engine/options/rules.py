"""Rules that options must keep together, or that their types cannot say."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from trainables.config import KeptEpoch
from trainables.config.validation import nearest
from trainables.metrics import METRICS
from trainables.registry import is_estimator
from tune_jobs.engine.errors import RequestError

TRACKERS = ("mlflow", "wandb")
"""Modules of `results/trackers`, which send a run's record to a tracker."""


def check_workers(gpus: float | Literal["auto"] | None, workers: int | None) -> None:
    """A worker has one GPU, or a part of one."""
    if gpus == "auto":
        gpus = 1.0  # or less
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise RequestError(
            f"--gpus-per-trial = {gpus}: must be at most 1, or a whole number: each worker has one"
        )
    if workers is not None and gpus and workers != max(1, gpus):
        raise RequestError(
            f"--workers-per-trial = {workers}: must be 1 for each of --gpus-per-trial = {gpus:g}: "
            "leave it away"
        )


def check_folds(folds: int | None, workers: int) -> None:
    if folds and workers > 1:
        raise RequestError(
            f"--folds = {folds}: a trial trains its models in one process, and has {workers} of "
            "--workers-per-trial or --gpus-per-trial: give it one"
        )


def check_target(metric: str, target: float | None) -> None:
    """A metric of the test split that is maximised is a fraction."""
    is_fraction = METRICS[metric].figure and METRICS[metric].direction == "maximize"
    if target is not None and is_fraction and target > 1:
        percent = f": {target:g} % is {target / 100:g}" if target <= 100 else ""
        raise RequestError(
            f"--target = {target:g}: must be a fraction in [0, 1] for --metric {metric}{percent}"
        )


def check_keep(metric: str, keep: Literal["last", "best"]) -> None:
    known = get_args(KeptEpoch)
    if keep == "best" and metric not in known:
        raise RequestError(
            f"--keep = 'best': workers do not know --metric {metric}: take one of "
            f"{', '.join(name for name in known if name != 'last')}, or --keep last"
        )


def check_trackers(log: str | None, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in TRACKERS]
    if unknown:
        raise RequestError(
            f"--log = {log!r}: {unknown[0]!r} is no tracker: name some of {', '.join(TRACKERS)}, "
            f"with a comma between them{nearest(unknown[0], list(TRACKERS))}"
        )


def check_run_id(run_id: str) -> None:
    """It names a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", run_id):
        raise RequestError(
            f"--run-id = {run_id!r}: must be letters, digits, '.', '_' and '-', beginning with a "
            "letter or digit, since it names a folder"
        )


def check_estimators(workers: int, architectures: Iterable[str]) -> None:
    """Refuse several workers of a trial for scikit-learn's estimators, which one process fits.

    Args:
        architectures: All architectures that the job may train.

    Raises:
        RequestError: One of them is an estimator, and there are several workers.
    """
    estimators = [name for name in architectures if is_estimator(name)]
    if workers > 1 and estimators:
        raise RequestError(
            f"--workers-per-trial = {workers}: an estimator ({', '.join(estimators)}) is "
            "fitted by one process: leave the option away, and --gpus-per-trial at 1 or less"
        )
