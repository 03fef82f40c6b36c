"""What ends a search early."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from trainables.metrics import Cost, EpochMetrics, HeldOutMetrics
from tune_jobs.engine.search.limits import ModelLimits, SearchLimits, Standing


@pytest.mark.parametrize(
    ("limits", "scores", "said"),
    [
        (SearchLimits(), [0.9] * 100, None),
        (SearchLimits(target=0.9), [0.8, None, 0.9, 0.1], "target reached"),
        (SearchLimits(target=0.9), [0.8, 0.89], None),
        (SearchLimits(target=-0.3), [-0.5, -0.2], "target reached"),
        (SearchLimits(patience=2), [None] * 9, None),
        (SearchLimits(patience=2), [None, 0.5, None], None),
        (SearchLimits(patience=2), [0.5, None, 0.5], "no better one in 2 proposals"),
        (SearchLimits(patience=2), [0.5, None, 0.6, None], None),
        (SearchLimits(target=0.5, patience=1), [0.5, 0.1], "target reached"),
    ],
)
def test_a_limit_is_reached_or_not(
    limits: SearchLimits, scores: Sequence[float | None], said: str | None
) -> None:
    standing = Standing()
    for score in scores:
        standing.add(score)
    assert limits.reached(standing) == said


def trained(num_parameters: int | None, latency_seconds: float | None = None) -> EpochMetrics:
    epoch = EpochMetrics(
        epoch=1, seconds=1.0, val_loss=1.0, val_accuracy=0.5, num_parameters=num_parameters
    )
    if latency_seconds is None:
        return epoch
    cost = Cost(peak_host_bytes=1, throughput=1.0, latency_seconds=latency_seconds)
    test = HeldOutMetrics(loss=1.0, accuracy=0.5, macro_f1=0.5, cost=cost)
    return replace(epoch, test=test)


@pytest.mark.parametrize(
    ("limits", "seeds", "said"),
    [
        (ModelLimits(), [trained(10**9, 9.0)], None),
        (ModelLimits(parameters=1000), [], None),
        (ModelLimits(parameters=1000), [trained(None), trained(1000)], None),
        (
            ModelLimits(parameters=1000),
            [trained(1001)],
            "1,001 parameters, above --max-parameters 1,000",
        ),
        (ModelLimits(latency_seconds=0.005), [trained(10**9)], None),
        (ModelLimits(latency_seconds=0.005), [trained(1, s) for s in (0.004, 0.005, 0.1)], None),
        (
            ModelLimits(latency_seconds=0.005),
            [trained(1, 0.007)],
            "7 ms for one image, above --max-latency 5 ms",
        ),
    ],
)
def test_a_model_exceeds_a_limit_or_not(
    limits: ModelLimits, seeds: Sequence[EpochMetrics], said: str | None
) -> None:
    assert limits.exceeded(seeds) == said
