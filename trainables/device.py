"""The process that trains: its threads, its memory, its arithmetic."""

import ctypes
import os

import torch

from trainables.config import Runtime

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEEP_FREED_MEMORY = {M_TRIM_THRESHOLD: 2**31 - 1, M_MMAP_MAX: 0, M_ARENA_MAX: 1}
"""`mallopt(3)`: never unmap, trim above 2 GiB only, one arena for all threads."""


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
