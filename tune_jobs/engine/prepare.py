"""From options to what trials need: the data, read and checked before anything starts."""

from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.study import create_study

from trainables.datasets import DatasetError, ImageData, load_dataset
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Space
from tune_jobs.engine.options import Options


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


def check_space(space: Space) -> dict[str, BaseDistribution]:
    """Sample the space once, away from any record -> the distributions that it suggests from."""
    if "<" in space.__qualname__:
        raise RequestError(
            f"space = {space.__qualname__}: must be a function at the top of a module, "
            "since workers find it by name"
        )
    trial = create_study(sampler=RandomSampler(seed=0)).ask()
    try:
        space(trial)
    except Exception as error:
        name = f"{space.__module__}.{space.__qualname__}"
        raise RequestError(f"space = {name}: it fails when sampled: {error!r}") from error
    return trial.distributions
