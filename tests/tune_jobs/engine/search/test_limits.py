"""What ends a search early."""

from collections.abc import Sequence

import pytest

from tune_jobs.engine.search.limits import SearchLimits


@pytest.mark.parametrize(
    ("limits", "scores", "said"),
    [
        (SearchLimits(), [0.9] * 100, None),
        (SearchLimits(seconds=60), [], "time budget"),
        (SearchLimits(seconds=61), [], None),
        (SearchLimits(target=0.9), [0.8, None, 0.9, 0.1], "target reached"),
        (SearchLimits(target=0.9), [0.8, 0.89], None),
        (SearchLimits(target=-0.3), [-0.5, -0.2], "target reached"),
        (SearchLimits(patience=2), [None] * 9, None),
        (SearchLimits(patience=2), [None, 0.5, None], None),
        (SearchLimits(patience=2), [0.5, None, 0.5], "no better one in 2 proposals"),
        (SearchLimits(patience=2), [0.5, None, 0.6, None], None),
        (SearchLimits(seconds=60, target=0.5, patience=1), [0.5, 0.1], "time budget"),
    ],
)
def test_a_limit_is_reached_or_not(
    limits: SearchLimits, scores: Sequence[float | None], said: str | None
) -> None:
    assert limits.reached(scores, seconds=60.5) == said
