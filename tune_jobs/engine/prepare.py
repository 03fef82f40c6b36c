"""From options to what trials need, read and checked before anything starts."""

from typing import TYPE_CHECKING

from trainables.config import ConfigError
from trainables.datasets import DatasetError, ImageData, load_dataset
from trainables.features import Features, Frozen
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

    from trainables.pretrained import Pretrained


def load_data(options: Options) -> ImageData:
    """Decode (or read the cache) and split; bad data is a bad request."""
    try:
        return load_dataset(
            options.dataset,
            data_dir=options.data_dir,
            image_size=options.image_size,
            train_size=options.train_size,
            split_seed=options.split_seed,
        )
    except DatasetError as error:
        raise RequestError(str(error)) from error


def check_estimators(
    job: Job, options: Options, distributions: "Mapping[str, BaseDistribution]"
) -> None:
    """A network may have several, an estimator has one."""
    if options.workers == 1:
        return
    from trainables.catalogue import is_estimator
    from tune_jobs.engine.search.space import architectures_of

    try:
        estimators = [n for n in architectures_of(job, distributions) if is_estimator(n)]
    except ConfigError as error:
        raise RequestError(str(error)) from error
    if estimators:
        raise RequestError(
            f"--workers-per-trial = {options.workers}: an estimator ({', '.join(estimators)}) is "
            "fitted by one process: leave the option away, and --gpus-per-trial at 1 or less"
        )


def load_weights(job: Job, options: Options) -> "Pretrained | None":
    """`load_pretrained_weights` of a job."""
    return load_pretrained_weights(options.weights, job.architecture, job.features)


def load_pretrained_weights(
    weights: str, architecture: str, features: Features | None
) -> "Pretrained | None":
    """What `--weights` names, downloaded when missing; `None` to start from scratch.

    Only then torch is imported here, which takes seconds.
    """
    if weights == "scratch":
        return None
    from trainables.pretrained import load_pretrained

    of = features.architecture if isinstance(features, Frozen) else architecture
    try:
        return load_pretrained(weights, of)
    except ConfigError as error:
        raise RequestError(str(error)) from error
