"""Where and in which arithmetic a run trains: probed once, then the same for every trial."""

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainables.architectures import find_architecture
from trainables.config import Precision, Runtime, default_config, parse_trial
from trainables.datasets import ImageData

PROBE_SECONDS = 0.8
"""Time in which the combinations take turns; a first step of each is not counted."""

PROBE_BATCH_SIZE = 32

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEEP_FREED_MEMORY = {M_TRIM_THRESHOLD: 2**31 - 1, M_MMAP_MAX: 0, M_ARENA_MAX: 1}
"""`mallopt(3)`: never unmap, trim above 2 GiB only, one arena for all threads."""

WORTH_A_CHANGE = 1.1
"""What another combination must gain over plain fp32 before it is taken."""

HOPELESS = 2.0
"""A combination whose first steps take so many times the best one's takes no further turns."""


def memory_format(runtime: Runtime) -> torch.memory_format:
    return torch.channels_last if runtime.channels_last else torch.contiguous_format


def autocast(runtime: Runtime) -> torch.autocast:
    return torch.autocast(runtime.device, dtype=torch.bfloat16, enabled=runtime.precision == "bf16")


def prepare_process() -> None:
    """Set a worker process up for a trial.

    It gets as many threads as Ray gave the trial CPUs (it says so in `OMP_NUM_THREADS`), and
    glibc's allocator keeps the memory that is freed. By default glibc returns every large block
    to the kernel, and each training step then faults the same pages in again: with the `cnn` at
    32x32x3 that took two fifths of a step.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in KEEP_FREED_MEMORY.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)  # what the trial before left behind


def probe(
    architecture_name: str, data: ImageData, *, pinned: Precision | None, epochs: int
) -> tuple[Runtime, dict[str, Any]]:
    """Measure the architecture's default model on random images of the data's shape.

    Args:
        architecture_name: As `find_architecture` takes it.
        data: Gives the shape of a batch and the number of classes.
        pinned: A precision to keep; then only the memory format is probed.
        epochs: A trial's full budget, part of the default configuration.

    Returns:
        The fastest combination here, and the architecture's default configuration.
    """
    architecture = find_architecture(architecture_name)
    default = {**default_config(architecture_name, architecture.Config), "epochs": epochs}
    _, own = parse_trial(default, architecture.Config)
    here = Runtime(device="cpu")
    if torch.cuda.is_available():
        here = Runtime(device="cuda", device_name=torch.cuda.get_device_name())
    precisions: tuple[Precision, ...] = (pinned,) if pinned else _sensible_precisions(here)
    candidates = [
        replace(here, precision=precision, channels_last=channels_last)
        for precision in precisions
        for channels_last in (False, True)
    ]
    images_NCHW = torch.randn(PROBE_BATCH_SIZE, data.num_channels, *data.image_size)
    labels_N = torch.randint(data.num_classes, (PROBE_BATCH_SIZE,))
    steps = []
    for runtime in candidates:
        model = architecture.build(
            own,
            in_channels=data.num_channels,
            image_size=data.image_size,
            num_classes=data.num_classes,
        )
        steps.append(_build_step(model, runtime, images_NCHW, labels_N))
    seconds = _race(steps)
    fastest = min(range(len(candidates)), key=seconds.__getitem__)
    worth = seconds[0] >= WORTH_A_CHANGE * seconds[fastest]
    return candidates[fastest if worth else 0], default


def _sensible_precisions(runtime: Runtime) -> tuple[Precision, ...]:
    """A CPU without bf16 instructions emulates them, over ten times slower than fp32."""
    if runtime.device == "cuda":
        return ("fp32", "bf16")
    cpu = Path("/proc/cpuinfo")
    flags = set(cpu.read_text().split()) if cpu.exists() else set()
    return ("fp32", "bf16") if flags & {"avx512_bf16", "amx_bf16", "bf16"} else ("fp32",)


def _build_step(
    model: nn.Module, runtime: Runtime, images_NCHW: torch.Tensor, labels_N: torch.Tensor
) -> Callable[[], None]:
    """A forward and a backward pass, finished when it returns."""
    model.to(runtime.device, memory_format=memory_format(runtime))  # type: ignore[call-overload]
    images_NCHW = images_NCHW.to(runtime.device, memory_format=memory_format(runtime))
    labels_N = labels_N.to(runtime.device)

    def step() -> None:
        with autocast(runtime):
            loss = nn.functional.cross_entropy(model(images_NCHW), labels_N)
        loss.backward()  # type: ignore[no-untyped-call]
        if runtime.device == "cuda":
            torch.cuda.synchronize()

    return step


def _race(steps: Sequence[Callable[[], None]]) -> list[float]:
    """Each step's shortest time: taking turns, a busy machine slows all of them alike."""
    for step in steps:
        step()
    best = [_seconds(step) for step in steps]
    until = time.perf_counter() + PROBE_SECONDS
    while time.perf_counter() < until:
        for i, step in enumerate(steps):
            if best[i] <= HOPELESS * min(best):
                best[i] = min(best[i], _seconds(step))
    return best


def _seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
