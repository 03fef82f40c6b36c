"""Propose around what is known to be good, then by a model of what this search has seen."""

import warnings
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.search.history import History
from tune_jobs.engine.search.nearest_value import nearest_value
from tune_jobs.engine.search.shown_trials import MOST_MODELLED, propose_among
from tune_jobs.engine.search.unit_cube import (
    Place,
    from_unit,
    is_ordered,
    lay,
    to_unit,
    unit_space,
)

SPREADS = (0.1, 0.1, 0.3)
"""Standard deviations of numbers around a value, where their range is 1: a proposal takes one of
them, since what is known may be right or far off."""

LEAST_STEPS = 0.6
"""For choices with an order it is as many steps at least: 4 of 10 draws are a neighbour."""

KEPT = 0.7
"""The probability that a choice without an order stays."""

UNIFORM = 0.1
"""The share of proposals that are drawn from the whole space, whatever is known."""

FEW = 8
"""The number of ended trials from which on there is something to model."""

INCUMBENTS = 3
"""The best trials around which is drawn, the better the more often."""


class PriorSampler(BaseSampler):
    """Draws a proposal from one of four sources, by chance.

    `centre` draws around the architecture's recipe, `incumbent` around the best trials (both as in
    PriorBand, Mallik et al. 2023, arXiv 2306.12370), `uniform` from the whole space, so that a
    wrong prior is left behind, and `model` by Optuna's TPE once there are `FEW` ended trials. TPE
    sees each number where it lies in its range, so that a range may depend on another parameter.
    Where an `architecture` was chosen before all else, trials of the same one alone are known.

    Args:
        seed: Seeds the one proposal that the sampler makes.
        centre: A configuration by the space's names, or one of each architecture.
        uniform: The share of uniform draws.
    """

    def __init__(self, seed: int, *, centre: Mapping[str, Any], uniform: float = UNIFORM) -> None:
        self._seed = seed
        self._centre = centre
        self._uniform = uniform
        self.source = ""  # until a parameter is asked for
        self._near: Mapping[str, Any] = {}
        self._spread = 0.0
        self._modelled: Mapping[str, Any] = {}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        if not self.source:
            self._choose_source(study, trial)
        # Its own generator: a proposal that an interruption has cut is completed as it was begun.
        random = np.random.default_rng([self._seed, zlib.crc32(param_name.encode())])
        if param_name in self._modelled:
            return _from_model(param_distribution, self._modelled[param_name])
        if param_name in self._near:
            return _around(param_distribution, self._near[param_name], self._spread, random)
        return _anywhere(param_distribution, random)

    def _choose_source(self, study: Study, trial: FrozenTrial) -> None:
        history = History.of(study)
        chosen = trial.params.get("architecture")
        ended = history.ended(chosen)
        random = np.random.default_rng(self._seed)
        self.source = self._draw_source(random, ended.num_reported)
        self._spread = random.choice(SPREADS)
        if self.source == "incumbent":
            # One that diverged within its first epoch teaches the model, and is no incumbent.
            reported = (other for other in ended.ranked if other.last_step is not None)
            best = list(islice(reported, INCUMBENTS))
            weights = 0.5 ** np.arange(len(best))
            self._near = best[random.choice(len(best), p=weights / weights.sum())].params
        elif self.source == "centre":
            self._near = self._centre
        elif self.source == "model":
            others = [
                other
                for other in history.running
                if other.number != trial.number
                and chosen in (None, other.params.get("architecture"))
            ]
            known = [*ended.choose(MOST_MODELLED), *others]
            self._modelled = propose(study.direction, known, ended.place(known), self._seed)

    def _draw_source(self, random: np.random.Generator, num_ended: int) -> str:
        if random.random() < self._uniform:
            return "uniform"
        model = 0.0 if num_ended < FEW else min(0.6, num_ended / 40)
        incumbent = min(0.8, num_ended / 16) * (1 - model)
        shares = {"centre": 1 - model - incumbent, "incumbent": incumbent, "model": model}
        return str(random.choice(list(shares), p=list(shares.values())))


def propose(
    direction: StudyDirection,
    trials: Sequence[FrozenTrial],
    places: Sequence[Place],
    seed: int,
) -> dict[str, Any]:
    """Propose by TPE where each number lies in its range, and each other choice.

    Args:
        trials: The best first, then the running ones, whose results are taken for bad ones, so that
            no proposal is made twice. Of a parameter that a trial does not have, it is given the
            middle.
        places: Where they lie.
    """
    space = unit_space(places)
    laid = [
        FrozenTrial(  # `create_trial` checks every value, which takes longer than to model them
            number=number,
            trial_id=number,
            state=trial.state,
            value=trial.value if trial.state == TrialState.COMPLETE else None,
            params=lay(found, space),
            distributions=space,
            intermediate_values=trial.intermediate_values,
            datetime_start=None,
            datetime_complete=None,
            user_attrs={},
            system_attrs={},
        )
        for number, (trial, found) in enumerate(zip(trials, places, strict=True))
    ]
    with warnings.catch_warnings():  # Optuna calls `multivariate` experimental
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(
            seed=seed % 2**32, multivariate=True, constant_liar=True, n_startup_trials=1
        )
    return propose_among(sampler, laid, space, direction)


def _from_model(distribution: BaseDistribution, modelled: Any) -> Any:
    if is_ordered(distribution):
        return from_unit(distribution, float(modelled))
    return nearest_value(distribution, modelled)


def _anywhere(distribution: BaseDistribution, random: np.random.Generator) -> Any:
    if is_ordered(distribution):
        return from_unit(distribution, random.random())
    assert isinstance(distribution, CategoricalDistribution)
    return distribution.choices[random.integers(len(distribution.choices))]


def _around(
    distribution: BaseDistribution, value: Any, spread: float, random: np.random.Generator
) -> Any:
    value = nearest_value(distribution, value)
    if is_ordered(distribution):
        choices = getattr(distribution, "choices", ())
        if choices:
            spread = max(spread, LEAST_STEPS / len(choices))
        drawn = to_unit(distribution, value) + spread * random.standard_normal()
        return from_unit(distribution, _reflected(drawn))
    return value if random.random() < KEPT else _anywhere(distribution, random)


def _reflected(unit: float) -> float:
    """Bring a number into [0, 1] as a mirror at each end does."""
    folded = abs(unit) % 2
    return 2 - folded if folded > 1 else folded
