"""A trial's checkpoints: written whole or not at all, loaded without unpickling code."""

import hashlib
import io
import os
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

KEPT = 2
"""Checkpoints kept per trial: the newest, and the one before it to fall back to."""

SAVE_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """The newest intact state, if any, and the names of newer files that are not intact."""

    state: dict[str, Any] | None
    corrupt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """`<epoch>.pt` files, each followed by its sha256 (32 bytes)."""

    path: Path

    def save(self, epoch: int, state: dict[str, Any]) -> Path:
        """Write `state` under a temporary name, sync it, rename it; older ones are dropped."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / f"{epoch:06d}.pt"
        temporary = target.with_suffix(f".{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(content + hashlib.sha256(content).digest())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        for old in self._files()[:-KEPT]:
            old.unlink(missing_ok=True)
        return target

    def load_newest(self) -> Loaded:
        """The newest checkpoint that is intact. One that is not is left where it is."""
        corrupt: list[str] = []
        for file in reversed(self._files()):
            content = file.read_bytes()
            body, digest = content[:-32], content[-32:]
            if hashlib.sha256(body).digest() == digest:
                try:
                    state = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
                    return Loaded(state, tuple(corrupt))
                except Exception:  # noqa: S110 (foreign bytes raise anything; none is trusted)
                    pass
            corrupt.append(file.name)
        return Loaded(None, tuple(corrupt))

    def _files(self) -> list[Path]:
        return sorted(self.path.glob("*.pt"))


@dataclass(slots=True)
class CheckpointClock:
    """When to save: at rungs, and whenever `SAVE_EVERY_SECONDS` have passed since the last time."""

    rungs: Container[int]
    last: float = field(default_factory=time.monotonic)

    def is_due(self, epoch: int) -> bool:
        now = time.monotonic()
        if epoch not in self.rungs and now - self.last < SAVE_EVERY_SECONDS:
            return False
        self.last = now
        return True
