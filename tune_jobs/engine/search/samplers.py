"""Build the samplers that propose configurations: Optuna's, by name.

Optuna is imported when a sampler is built, since `--help` shows the names.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def _tpe(seed: int, centre: Mapping[str, Any]) -> "BaseSampler":
    """Build the multivariate tree-structured Parzen estimator (Bergstra et al. 2011).

    By the constant liar it takes trials that still run for bad ones, so that parallel slots do not
    propose the same twice (https://optuna.readthedocs.io, TPESampler).
    """
    from optuna.exceptions import ExperimentalWarning

    from tune_jobs.engine.search.shown_trials import BoundedTPE

    with warnings.catch_warnings():  # Optuna calls `group` experimental
        warnings.simplefilter("ignore", ExperimentalWarning)
        return BoundedTPE(seed=seed, multivariate=True, group=True, constant_liar=True)


def _random(seed: int, centre: Mapping[str, Any]) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def _prior(seed: int, centre: Mapping[str, Any]) -> "BaseSampler":
    from tune_jobs.engine.search.prior_sampler import PriorSampler

    return PriorSampler(seed, centre=centre)


BuildSampler = Callable[[int, Mapping[str, Any]], "BaseSampler"]

SAMPLERS: dict[str, BuildSampler] = {"prior": _prior, "tpe": _tpe, "random": _random}
"""The samplers that `--sampler` names, each of which is made from a seed, and from a configuration
by the space's names that is known to be good: the architecture's recipe."""


def build_sampler(name: str, *, seed: int, number: int, centre: Mapping[str, Any]) -> "BaseSampler":
    """Build the sampler that proposes trial `number`, seeded by (seed, number).

    Each trial has a sampler of its own: a sampler's state is not in the study, so a resumed run
    could not go on from it.

    Raises:
        KeyError: `SAMPLERS` has no such name.
    """
    # A prime above any number of trials keeps the seeds of two runs apart; numpy takes 32 bits.
    return SAMPLERS[name]((seed * 1_000_003 + number) % 2**32, centre)
