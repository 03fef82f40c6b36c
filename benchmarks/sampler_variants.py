"""Samplers that the benchmarks compare with today's: other shares, moves and models."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import GPSampler
from optuna.study import StudyDirection, create_study
from optuna.trial import FrozenTrial, create_trial

from tune_jobs.engine.search import prior_sampler
from tune_jobs.engine.search.nearest_value import nearest_value
from tune_jobs.engine.search.unit_cube import Place, lay, unit_space


def staying(
    share: float, sources: Sequence[str] = ("centre", "incumbent")
) -> type[prior_sampler.PriorSampler]:
    """A sampler that moves a few parameters of recipe and incumbents: so many stay, by chance."""

    class Staying(prior_sampler.PriorSampler):
        def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
            drawn = super().sample_independent(study, trial, name, distribution)
            random = np.random.default_rng([self._seed, len(name), *name.encode()])
            if name in self._near and self.source in sources and random.random() < share:
                return nearest_value(distribution, self._near[name])
            return drawn

    return Staying


def moving(number: int) -> type[prior_sampler.PriorSampler]:
    """A sampler that moves so many parameters of recipe and incumbents, in the mean."""

    class Moving(prior_sampler.PriorSampler):
        def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
            drawn = super().sample_independent(study, trial, name, distribution)
            known = max((len(t.params) for t in study.get_trials(deepcopy=False)), default=0)
            random = np.random.default_rng([self._seed, len(name), *name.encode()])
            if name in self._near and random.random() * known > number:
                return nearest_value(distribution, self._near[name])
            return drawn

    return Moving


def sharing(
    incumbents: float, most_incumbent: float, model: float, most_model: float
) -> type[prior_sampler.PriorSampler]:
    """A sampler whose sources reach their greatest shares after so many ended trials."""

    class Sharing(prior_sampler.PriorSampler):
        def _draw_source(self, random: np.random.Generator, num_ended: int) -> str:
            if random.random() < self._uniform:
                return "uniform"
            modelled = 0.0 if num_ended < prior_sampler.FEW else min(most_model, num_ended / model)
            incumbent = min(most_incumbent, num_ended / incumbents) * (1 - modelled)
            shares = [1 - modelled - incumbent, incumbent, modelled]
            return str(random.choice(["centre", "incumbent", "model"], p=shares))

    return Sharing


def propose_by_gp(
    direction: StudyDirection,
    trials: Sequence[FrozenTrial],
    places: Sequence[Place],
    seed: int,
) -> dict[str, Any]:
    """Propose by Optuna's Gaussian process over the ranks of all trials, stopped ones included."""
    space = unit_space(places)
    with warnings.catch_warnings():  # Optuna calls it experimental
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = GPSampler(seed=seed % 2**32, n_startup_trials=1)
    shadow = create_study(direction="maximize", sampler=sampler)
    ended = [
        found for trial, found in zip(trials, places, strict=True) if trial.state.is_finished()
    ]
    laid = [lay(found, space) for found in ended]
    shadow.add_trials(
        [
            create_trial(value=-rank / len(laid), params=params, distributions=space)
            for rank, params in enumerate(laid)
        ]
    )
    return shadow.ask(space).params
