"""What a trial has for one attempt at training: where it left off, and who watches it."""

from dataclasses import dataclass

from trainables.checkpoint import Checkpoints
from trainables.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An attempt; the one before it may have been killed at any time.

    Attributes:
        reported: The last epoch that the record has; 0: none.
    """

    checkpoints: Checkpoints
    watchdog: Watchdog
    reported: int = 0
