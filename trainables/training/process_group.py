"""Several processes may train one model, each on its part of every batch.

Gradients are averaged by torch's `DistributedDataParallel`, weighted so that they are those of the
whole batch. Rank 0 is the trial: it evaluates, saves, reports and exports. The others follow it
from epoch to epoch.
"""

import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from datetime import timedelta

import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel

from trainables.config import Runtime

SIOCGIFADDR = 0x8915  # the address of a network interface (netdevice(7))


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessGroup:
    """Says which of the processes that train a model this one is.

    Attributes:
        rank: The number of this process, from 0 to `size` - 1.
        size: How many processes there are.
    """

    rank: int = 0
    size: int = 1

    def part(self, batch_N: Tensor) -> tuple[Tensor, float]:
        """Take this process's part of a batch -> the part, and the weight of its mean loss.

        With the weights, the mean of all processes' gradients is the batch's, also where the parts
        are not of even size.
        """
        part_N = batch_N.tensor_split(self.size)[self.rank]
        return part_N, self.size * len(part_N) / len(batch_N)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.size > 1:
            dist.all_reduce(value)
        return value

    def synchronise_batch_norm(self, model: nn.Module, runtime: Runtime) -> nn.Module:
        """Make batch norm see the whole batch on GPUs.

        On a CPU, where torch cannot do that, each process's batch norm sees its part, and rank 0's
        running statistics are everyone's.
        """
        if self.size == 1 or runtime.device != "cuda":
            return model
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return converted

    def average_gradients(self, model: nn.Module) -> nn.Module:
        """Wrap `model` so that its backward pass averages the gradients of all processes.

        All of them begin with rank 0's weights.
        """
        return model if self.size == 1 else DistributedDataParallel(model)


ALONE = ProcessGroup()


def listen(host: str, timeout: timedelta) -> TCPStore:
    """Open the store where a group's processes find each other, at a free port of that address."""
    listening = socket.create_server((host, 0))
    return TCPStore(
        host,
        listening.getsockname()[1],
        is_master=True,
        wait_for_workers=False,
        timeout=timeout,
        master_listen_fd=listening.detach(),
    )


def connect(host: str, port: int, timeout: timedelta) -> TCPStore:
    return TCPStore(host, port, is_master=False, wait_for_workers=False, timeout=timeout)


def join(
    group: ProcessGroup, store: TCPStore, runtime: Runtime, here: str, timeout: timedelta
) -> None:
    """Wait for all processes of the group.

    Args:
        here: This machine's address in the cluster; gloo would take what its host name stands for.
        timeout: How long any exchange between them may take.
    """
    os.environ.setdefault("GLOO_SOCKET_IFNAME", interface_of(here))
    dist.init_process_group(
        "nccl" if runtime.device == "cuda" else "gloo",
        store=store,
        rank=group.rank,
        world_size=group.size,
        timeout=timeout,
    )


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def interface_of(address: str) -> str:
    """Find the network interface that has an IPv4 address: `lo` for 127.0.0.1.

    Raises:
        OSError: There is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                answer = fcntl.ioctl(any_socket, SIOCGIFADDR, request)
            except OSError:  # it has no address
                continue
            if socket.inet_ntoa(answer[20:24]) == address:
                return name
    raise OSError(f"no network interface has the address {address}")
