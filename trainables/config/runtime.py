"""Where and in which arithmetic a model trains."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """Device, precision and memory format: chosen once for a run, part of a row's provenance."""

    device: Literal["cpu", "cuda"]
    device_name: str = "cpu"
    precision: Precision = "fp32"
    channels_last: bool = False

    def describe(self) -> str:
        """`bf16 channels_last`: what the leaderboard's `precision` column shows."""
        return self.precision + (" channels_last" if self.channels_last else "")
