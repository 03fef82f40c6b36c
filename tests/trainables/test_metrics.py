"""What a search may optimise."""

import math
from dataclasses import replace
from typing import Any

import pytest

from trainables import metrics
from trainables.metrics import (
    METRICS,
    EpochMetrics,
    HeldOutMetrics,
    Metric,
    add_metric,
    compared_by,
)


def made(name: str, direction: Any) -> Metric:
    return Metric(name, "a label", direction, lambda epoch: epoch.val_loss)


def test_of_two_values_the_better_one_scores_higher() -> None:
    assert made("up", "maximize").score(0.9) > made("up", "maximize").score(0.8)
    assert made("down", "minimize").score(0.1) > made("down", "minimize").score(0.2)


def test_one_that_is_added_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "METRICS", {**METRICS})
    add_metric(made("speed", "minimize"))
    epoch = EpochMetrics(epoch=1, seconds=2.0, val_loss=0.5, val_accuracy=0.75)
    assert metrics.METRICS["speed"].on_validation(epoch) == 0.5


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="metric = 'log_loss': there is one of this name"):
        add_metric(made("log_loss", "minimize"))


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="its direction is 'max', but must be one of maximize, mi"):
        add_metric(made("speed", "max"))
    assert "speed" not in METRICS


def test_each_is_read_off_validation_and_test() -> None:
    test = HeldOutMetrics(
        loss=1.5, accuracy=0.75, macro_f1=0.25, balanced_accuracy=0.5, auroc=0.875
    )
    epoch = EpochMetrics(
        epoch=1,
        seconds=2.0,
        val_loss=0.5,
        val_accuracy=0.1,
        val_balanced_accuracy=0.2,
        val_macro_f1=0.3,
        val_auroc=0.4,
        test=test,
    )
    again = EpochMetrics.from_json(epoch.to_json())
    assert again == epoch
    assert again.test
    values = {name: (m.on_validation(again), m.on_test(test)) for name, m in METRICS.items()}
    assert values == {
        "accuracy": (0.1, 0.75),
        "balanced_accuracy": (0.2, 0.5),
        "macro_f1": (0.3, 0.25),
        "log_loss": (0.5, 1.5),
        "auroc": (0.4, 0.875),
    }


def test_what_an_early_version_recorded_is_read() -> None:
    stored = {"epoch": 1, "seconds": 1.0, "val_loss": 0.5, "val_accuracy": 0.75}
    stored |= {"test_loss": 0.5, "test_accuracy": 0.5, "test_macro_f1": 0.25}
    epoch = EpochMetrics.from_json(stored)
    assert epoch.val_auroc is None
    assert epoch.test == HeldOutMetrics(loss=0.5, accuracy=0.5, macro_f1=0.25)
    assert not epoch.diverged


@pytest.mark.parametrize("name", ["val_accuracy", "val_auroc", "train_accuracy"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_any_figure_that_is_no_number_says_that_a_training_has_diverged(
    name: str, value: float
) -> None:
    """What is stored says so too, and holds no such number."""
    sound = EpochMetrics(epoch=1, seconds=1.0, val_loss=0.5, val_accuracy=0.5)
    assert not sound.diverged
    assert "diverged" not in sound.to_json()
    stored = replace(sound, **{name: value}).to_json()  # type: ignore[arg-type]
    assert stored["diverged"]
    assert name not in stored
    assert EpochMetrics.from_json(stored).diverged


def test_models_are_compared_by_their_metric_where_the_test_split_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(METRICS, "speed", made("speed", "minimize"))
    names = (None, "accuracy", "auroc", "speed", "of a module that is not imported")
    compared = [compared_by(name).name for name in names]
    assert compared == ["accuracy", "accuracy", "auroc", "accuracy", "accuracy"]
