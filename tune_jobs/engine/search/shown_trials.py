"""Ask one of Optuna's samplers about chosen trials, which it takes for all of a study."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection, create_study
from optuna.trial import FrozenTrial, TrialState


class ShownTrials(InMemoryStorage):
    """Shows trials as they are: to add them to a study, Optuna copies and checks each of them, in
    five times the time that TPE takes to model them."""

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


def ask(
    sampler: BaseSampler,
    trials: Sequence[FrozenTrial],
    space: Mapping[str, BaseDistribution],
    direction: StudyDirection,
) -> dict[str, Any]:
    """Return what a sampler proposes in a space that all the trials have in common.

    Args:
        trials: Numbered from 0.
    """
    study = create_study(storage=ShownTrials(trials), sampler=sampler, direction=direction)
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
    varied = {name: space[name] for name in sorted(space) if not space[name].single()}
    only = {name: space[name] for name in space if space[name].single()}
    proposed = sampler.sample_relative(study, asked, varied)
    return proposed | {name: unit.choices[0] for name, unit in only.items()}
