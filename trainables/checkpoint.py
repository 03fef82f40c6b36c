"""A trial's checkpoints: written whole or not at all, loaded without unpickling code."""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

KEPT = 2
"""Checkpoints kept per trial: the newest, and the one before it to fall back to."""


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
        with temporary.open("wb") as file:
            file.write(content + hashlib.sha256(content).digest())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        for old in self._files()[:-KEPT]:
            old.unlink(missing_ok=True)
        return target

    def load_newest(self) -> dict[str, Any] | None:
        """The newest checkpoint that is intact, or `None` where there is none."""
        for file in reversed(self._files()):
            content = file.read_bytes()
            body, digest = content[:-32], content[-32:]
            if hashlib.sha256(body).digest() == digest:
                state: dict[str, Any] = torch.load(
                    io.BytesIO(body), map_location="cpu", weights_only=True
                )
                return state
        return None

    def _files(self) -> list[Path]:
        return sorted(self.path.glob("*.pt"))
