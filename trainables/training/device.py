"""Set up the process that trains: its threads, its memory, its arithmetic."""

import ctypes
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from trainables.config import Runtime

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEEP_FREED_MEMORY = {M_TRIM_THRESHOLD: 2**31 - 1, M_MMAP_MAX: 0, M_ARENA_MAX: 1}
"""Parameters of `mallopt(3)`, by which glibc never unmaps, trims only above 2 GiB, and has one
arena for all threads."""


def memory_format(runtime: Runtime) -> torch.memory_format:
    return torch.channels_last if runtime.channels_last else torch.contiguous_format


def autocast(runtime: Runtime) -> torch.autocast:
    return torch.autocast(runtime.device, dtype=torch.bfloat16, enabled=runtime.precision == "bf16")


CONTEXT_BYTES = 2**30
"""A process takes so much of a GPU beside torch's tensors: CUDA's context, libraries' kernels."""


def memory_fraction(share: float, device_bytes: int) -> float:
    """Return which fraction of a GPU's memory a process that has `share` of it may reserve."""
    return max(share - CONTEXT_BYTES / device_bytes, share / 2)


def free_device_bytes() -> int:
    """Return how many bytes are free on this process's GPU, or in its share of it."""
    free_bytes, device_bytes = torch.cuda.mem_get_info()
    share_bytes = int(torch.cuda.get_per_process_memory_fraction() * device_bytes)
    return min(free_bytes, share_bytes - torch.cuda.memory_reserved())


def memory_bytes() -> int:
    """Return how much memory this process may have: the machine's, or its container's where that is
    less."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits()])


def _limits() -> Iterator[int]:
    """Yield the limits of the control groups that this process is in, where there are any: of the
    group itself, and of the root, which is what a container may see as its own."""
    file = Path("/proc/self/cgroup")
    for line in file.read_text().splitlines() if file.exists() else []:
        _, controllers, group = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, limit = {
            "": (Path("/sys/fs/cgroup"), "memory.max"),
            "memory": (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        }[controllers]
        for folder in (root / group.lstrip("/"), root):
            with suppress(OSError, ValueError):  # there is none, or it is "max"
                yield int((folder / limit).read_text())


def will_need(array: Tensor, indices_N: Tensor) -> None:
    """Have the kernel read these rows of an array that is mapped from a file, and do not wait.

    Each takes a call of `madvise(2)`, of microseconds: Python's own has no address.
    """
    libc = ctypes.CDLL(None)
    if array.is_cuda or not hasattr(libc, "madvise"):
        return
    row_bytes = array[0].nbytes
    for index in indices_N.tolist():
        start = array.data_ptr() + index * row_bytes
        page = start - start % mmap.PAGESIZE
        length = start + row_bytes - page
        libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(length), mmap.MADV_WILLNEED)


def prepare_process(gpus: float = 1.0) -> None:
    """Set a worker process up for a trial.

    It gets as many threads as Ray gave the trial CPUs (it says so in `OMP_NUM_THREADS`), and
    glibc's allocator keeps the memory that is freed. By default glibc returns every large block
    to the kernel, and each training step then faults the same pages in again: with the `cnn` at
    32x32x3 that took two fifths of a step. fp32 is fp32 on a GPU too, where torch would round the
    factors of convolutions to TF32; bf16 is there for who wants speed.

    Args:
        gpus: How many GPUs the process has; it uses no more memory of one than its share.
    """
    if 0 < gpus < 1 and torch.cuda.is_available():
        _, device_bytes = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(memory_fraction(gpus, device_bytes))
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in KEEP_FREED_MEMORY.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)  # what the trial before left behind
