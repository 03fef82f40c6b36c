"""What a search may optimise."""

from typing import Any

import pytest

from trainables import metrics
from trainables.metrics import METRICS, EpochMetrics, Metric, add_metric


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
    with pytest.raises(ValueError, match="metric = 'loss': there is one of this name"):
        add_metric(made("loss", "minimize"))


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="its direction is 'max', but must be one of maximize, mi"):
        add_metric(made("speed", "max"))
    assert "speed" not in METRICS
