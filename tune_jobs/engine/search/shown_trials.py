"""Show Optuna's samplers chosen trials, which they take for all of a study."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import Study, StudyDirection, create_study
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.search.history import History

MOST_MODELLED = 256
"""Of more ended trials TPE is given half as many, the best, and half as many, the newest others. It
models the best tenth, 25 trials at most, against all others, so more would only tell more of what
is not good, and each proposal would take longer than the one before."""


class ShownTrials(InMemoryStorage):
    """Shows trials as they are: to add them to a study, Optuna copies and checks each of them,
    which takes far longer than TPE's model of them."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._shown = trials

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        return [trial for trial in self._shown if states is None or trial.state in states]

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep nothing: TPE notes here what it proposes, for others that ask at the same time."""


def show(trials: Sequence[FrozenTrial], direction: StudyDirection) -> Study:
    return create_study(storage=ShownTrials(trials), direction=direction)


class BoundedTPE(TPESampler):
    """Optuna's TPE, which sees `MOST_MODELLED` of the ended trials, and those that run."""

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return super().infer_relative_search_space(_bounded(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return super().sample_relative(_bounded(study), trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return super().sample_independent(_bounded(study), trial, param_name, param_distribution)


def _bounded(study: Study) -> Study:
    history = History.of(study)
    ended = history.ended()
    if len(ended.ranked) <= MOST_MODELLED:
        return study
    shown = [*ended.choose(MOST_MODELLED), *history.running]
    return show(sorted(shown, key=lambda trial: trial.number), study.direction)


def propose_among(
    sampler: BaseSampler,
    trials: Sequence[FrozenTrial],
    space: Mapping[str, BaseDistribution],
    direction: StudyDirection,
) -> dict[str, Any]:
    """Return what a sampler proposes in a space that all the trials have in common.

    Args:
        trials: Numbered from 0.
    """
    asked = FrozenTrial(
        number=len(trials),
        trial_id=len(trials),
        state=TrialState.RUNNING,
        value=None,
        params={},
        distributions={},
        intermediate_values={},
        datetime_start=None,
        datetime_complete=None,
        user_attrs={},
        system_attrs={},
    )
    only = {
        name: choices.choices[0]
        for name, choices in space.items()
        if isinstance(choices, CategoricalDistribution) and choices.single()
    }
    varied = {name: space[name] for name in sorted(space) if name not in only}
    return sampler.sample_relative(show(trials, direction), asked, varied) | only
