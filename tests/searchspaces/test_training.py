"""What spaces may suggest besides those of the jobs."""

from collections.abc import Callable

import optuna
import pytest

from searchspaces.training import suggest_colour_jitter, suggest_strong_augmentation
from trainables.architectures import find_architecture
from trainables.config import parse_trial
from trainables.registry import default_of


@pytest.mark.parametrize("suggest", [suggest_colour_jitter, suggest_strong_augmentation])
def test_what_is_suggested_is_a_configuration_and_holds_the_default(
    suggest: Callable[[optuna.Trial], None],
) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    default = default_of("cnn", 1)
    for _ in range(10):
        trial = study.ask()
        suggest(trial)
        parse_trial({**default, **trial.params}, find_architecture("cnn").Config)
    replay = optuna.trial.FixedTrial(default)
    suggest(replay)  # type: ignore[arg-type]
    assert replay.params == dict.fromkeys(trial.params, 0.0)
