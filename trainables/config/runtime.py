"""The runtime says where and in which arithmetic a model trains."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """Device, precision and memory format are chosen once for a run, and each row says them.

    Attributes:
        memory_bytes: The memory of the machine that chose: how larger images are shuffled follows
            from it. `None`, as in earlier versions: all fit.
    """

    device: Literal["cpu", "cuda"]
    device_name: str = "cpu"
    precision: Precision = "fp32"
    channels_last: bool = False
    memory_bytes: int | None = None

    def describe(self) -> str:
        """Write the runtime as the leaderboard's `precision` column does: `bf16 channels_last`."""
        return self.precision + (" channels_last" if self.channels_last else "")
