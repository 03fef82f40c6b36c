"""What proposes configurations: Optuna's samplers, by name.

Optuna is imported when a sampler is built, since `--help` shows the names.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def build_sampler(name: str, *, seed: int, number: int) -> "BaseSampler":
    """The sampler that proposes trial `number`, seeded by (seed, number): a sampler's own state is
    not in the study, so a resumed run could not go on from it.

    Raises:
        KeyError: `SAMPLERS` has no such name.
    """
    return SAMPLERS[name]((seed * 1_000_003 + number) % 2**32)


def _tpe(seed: int) -> "BaseSampler":
    """The tree-structured Parzen estimator (Bergstra et al. 2011), multivariate, which takes trials
    that still run for bad ones (the constant liar), so that slots do not propose the same twice
    (https://optuna.readthedocs.io, TPESampler)."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _random(seed: int) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


SAMPLERS: dict[str, Callable[[int], "BaseSampler"]] = {"tpe": _tpe, "random": _random}
"""What `--sampler` names: a sampler, made from a seed."""
