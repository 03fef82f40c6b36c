"""What became of each architecture that a space chooses between."""

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.results.analysis.architectures import (
    describe_architectures,
    find_not_tried,
)
from tune_jobs.engine.search.limits import NO_TIME, TOO_SLOW

from .trials import record_of, trial_of

SPACE: dict[str, BaseDistribution] = {
    "architecture": CategoricalDistribution(("linear", "mlp", "cnn", "vgg"))
}


def of(name: str, *accuracies: float, **given: Any) -> FrozenTrial:
    return trial_of(accuracies, params={"architecture": name}, space=SPACE, **given)


def test_each_is_told_with_what_it_took_and_what_was_not_tried() -> None:
    trials = [
        of("linear", 0.5, 0.6, state=TrialState.COMPLETE),
        of("linear", 0.7, 0.65, state=TrialState.COMPLETE),
        of("mlp", 0.4, end_reason="stopped early"),
        of("cnn", state=TrialState.FAIL, end_reason="the kernel is too large"),
    ]
    assert describe_architectures(record_of(trials), {}) == (
        "linear best 0.6500 (2 trials, 4 s); mlp none to the end (1 trial, 1 s; stopped early); "
        "cnn none to the end (1 trial, 0 s; the kernel is too large); vgg not tried"
    )


def test_one_that_was_trained_for_fewer_epochs_is_said_to_be() -> None:
    trials = [
        of("linear", 0.5, 0.6, state=TrialState.COMPLETE, config={"epochs": 2}),
        of("mlp", 0.7, state=TrialState.COMPLETE, config={"epochs": 1}),
    ]
    assert describe_architectures(record_of(trials), {}) == (
        "linear best 0.6000 (1 trial, 2 s); mlp best 0.7000 (1 trial of 1 epoch, 1 s); "
        "cnn not tried; vgg not tried"
    )


def test_why_an_architecture_has_no_row_is_told() -> None:
    trials = [
        of("linear", 0.5, 0.6, state=TrialState.COMPLETE),
        of("mlp", 0.4, end_reason=NO_TIME),
        of("cnn", end_reason=f"{TOO_SLOW}: a training takes 90 s or more"),
    ]
    record = record_of(trials)
    not_tried = find_not_tried(record, record_of([]), {"linear"})
    assert not_tried == {
        "mlp": f"{TOO_SLOW}: an epoch takes 1.0 s",
        "cnn": f"{TOO_SLOW}: a training takes 90 s or more",
        "vgg": "the search ended before its first trial",
    }
    assert describe_architectures(record, {**not_tried, "resnet50": "no weights"}) == (
        "linear best 0.6000 (1 trial, 2 s); mlp none to the end (1 trial, 1 s; time budget): too "
        "slow for the time budget: an epoch takes 1.0 s; cnn not tried: too slow for the time "
        "budget: a training takes 90 s or more; vgg not tried: the search ended before its first "
        "trial; resnet50 not tried: no weights"
    )


def test_of_a_space_without_a_choice_nothing_is_told() -> None:
    assert describe_architectures(record_of([trial_of([0.5])]), {}) == ""
