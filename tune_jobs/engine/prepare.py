"""From options to what trials need, read and checked before anything starts."""

from typing import TYPE_CHECKING

from trainables.config import ConfigError
from trainables.datasets import DatasetError, ImageData, load_dataset
from trainables.features import Features, Frozen
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options

if TYPE_CHECKING:
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
