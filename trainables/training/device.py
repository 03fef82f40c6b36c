"""Set up the process that trains: its threads, its memory, its arithmetic."""

import ctypes
import inspect
import os
from functools import cache

import torch
from torch.utils.flop_counter import _FlopCounterMode

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


@cache
def spare_dynamo() -> None:
    """Have torch's optimizers and its counter of operations work without `torch._dynamo`, whose
    import takes over a second.

    Their methods are wrapped for the case that dynamo compiles what calls them, which nothing here
    does: a step imports it for a graph break, and the others to be left out. A step then needs no
    more than the wrapper's other half, no gradients; the others call what they have as
    `__dynamo_disable`, where a wrapper keeps what dynamo has made.
    """
    for optimizer in (torch.optim.SGD, torch.optim.Adam):  # AdamW has Adam's
        optimizer.step = torch.no_grad()(inspect.unwrap(optimizer.step))  # type: ignore[method-assign]
    of_optimizers = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    wrapped = [getattr(torch.optim.Optimizer, name) for name in of_optimizers]
    for method in map(inspect.unwrap, [*wrapped, _FlopCounterMode.__torch_dispatch__]):
        method.__dynamo_disable = method


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
    spare_dynamo()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in KEEP_FREED_MEMORY.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)  # what the trial before left behind
