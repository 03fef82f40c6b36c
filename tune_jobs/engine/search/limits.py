"""Say when a search has tried enough, though it may try more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLimits:
    """Says what ends a search before its last proposal; `None`: that does not.

    Attributes:
        seconds: The time that it may take.
        target: The score of a full-budget trial that is good enough; a higher one is better.
        patience: The number of proposals that may end, one after the other, without a better score.
    """

    seconds: float | None = None
    target: float | None = None
    patience: int | None = None

    def reached(self, scores: Sequence[float | None], seconds: float) -> str | None:
        """Return which limit is reached, in words; `None`: none is.

        Patience begins with the first trial that reaches its full budget.

        Args:
            scores: Of the trials that have ended, in the order of their ends; `None`: it was
                stopped early, or failed.
            seconds: The time since the search began.
        """
        if self.seconds is not None and seconds > self.seconds:
            return "time budget"
        best, num_since = -math.inf, 0
        for score in scores:
            if score is not None and score > best:
                best, num_since = score, 0
            elif best > -math.inf:
                num_since += 1
        if self.target is not None and best >= self.target:
            return "target reached"
        if self.patience is not None and num_since >= self.patience:
            return f"no better one in {num_since} proposals"
        return None
