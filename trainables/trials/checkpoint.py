"""Write a trial's checkpoints whole or not at all, and load them without unpickling code."""

import hashlib
import io
import sys
import time
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import torch

from trainables.storage import Storage

SUFFIX = ".pt"

KEPT = 2
"""Checkpoints kept per trial: the newest, and the one before it to fall back to."""

SAVE_EVERY_SECONDS = 30.0
"""Besides rungs, the first epoch that ends so long after the last checkpoint gets one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Holds the newest intact state, if any, and the names of newer files that are not intact."""

    state: dict[str, Any] | None
    corrupt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Keeps a trial's `<epoch>.pt` files, whose content is followed by its sha256 (32 bytes)."""

    place: Storage

    def save(self, epoch: int, state: dict[str, Any]) -> None:
        """Write `state` whole or not at all, then drop all but the newest `KEPT`."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        self.place.write(f"{epoch:06d}{SUFFIX}", content + hashlib.sha256(content).digest())
        for old in self._names()[:-KEPT]:
            self.place.remove(old)

    def load_newest(self) -> Loaded:
        """Load the newest checkpoint that is intact; leave those that are not where they are."""
        corrupt: list[str] = []
        for name in reversed(self._names()):
            content = self.place.read(name)
            body, digest = content[:-32], content[-32:]
            if hashlib.sha256(body).digest() == digest:
                try:
                    state = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
                    return Loaded(state, tuple(corrupt))
                except Exception as error:  # foreign bytes raise anything; none is trusted
                    print(f"warning: checkpoint {name} cannot be read: {error}", file=sys.stderr)
            corrupt.append(name)
        return Loaded(None, tuple(corrupt))

    def _names(self) -> list[str]:
        return [name for name in self.place.names() if name.endswith(SUFFIX)]


@dataclass(slots=True)
class CheckpointClock:
    """Says when to save: at rungs, and `SAVE_EVERY_SECONDS` after the last save."""

    rungs: Container[int]
    last: float = field(default_factory=time.monotonic)

    def is_due(self, epoch: int) -> bool:
        """Return whether to save after `epoch`; if so, the time counts from now on."""
        now = time.monotonic()
        if epoch not in self.rungs and now - self.last < SAVE_EVERY_SECONDS:
            return False
        self.last = now
        return True
