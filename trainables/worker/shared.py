"""What all trials of a run share: its small parts by Ray's object store, its images by files."""

import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainables.storage import OtherDiskError

if TYPE_CHECKING:
    from trainables.datasets import ImageData
    from trainables.trials.inputs import TrialInputs

PART_BYTES = 8 * 2**20
"""How much of a file travels at once: the object store may be as small as Ray allows, 75 MiB."""

PARTS_AHEAD = 2
"""How many parts a node has asked for while it writes one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedInputs:
    """Leads every process of a cluster to the `TrialInputs` of a run.

    Images that were decoded into files are mapped from there. A node that lacks the files copies
    them once, to the same path on a disk of its own.

    Attributes:
        reference: Ray's reference to the inputs without their images.
        home: The id of the node that has the images.
    """

    reference: Any
    home: str

    @classmethod
    def put(cls, inputs: "TrialInputs") -> "SharedInputs":
        """Share what is here, on the node of this process."""
        from trainables.datasets.cache import without_arrays

        reference = ray.put(inputs.with_data(without_arrays))
        return cls(reference=reference, home=ray.get_runtime_context().get_node_id())

    def fetch(self) -> "TrialInputs":
        """Return the inputs; their arrays are read-only, and stay where they are.

        Raises:
            OtherDiskError: This node has no images, and cannot copy them.
        """
        inputs: TrialInputs = ray.get(self.reference)
        return inputs.with_data(self._map)

    def _map(self, data: "ImageData") -> "ImageData":
        from trainables.datasets.cache import with_arrays

        if data.decoded is None:
            return data
        try:
            return with_arrays(data, copied_parts(data.decoded, self.home))
        except OSError as error:
            raise OtherDiskError(
                f"the decoded images cannot be had in {str(data.decoded)!r} on "
                f"{socket.gethostname()} ({error.strerror or error}): give a --data-dir that "
                "every node may write, with room, and that stays"
            ) from error


def copied_parts(folder: Path, node: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder on a node, part by part, by name."""
    read = _on(node, _read)
    asked: deque[tuple[str, Any]] = deque()
    for name, size in ray.get(_on(node, _sizes)(folder)):
        for start in range(0, max(size, 1), PART_BYTES):
            asked.append((name, read(folder / name, start, PART_BYTES)))
            if len(asked) > PARTS_AHEAD:
                first, part = asked.popleft()
                yield first, ray.get(part)
    for name, part in asked:
        yield name, ray.get(part)


def _on(node: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function be called on a node, however busy it is."""
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    call: Callable[..., Any] = (
        ray.remote(function).options(num_cpus=0, scheduling_strategy=there).remote
    )
    return call


def _sizes(folder: Path) -> list[tuple[str, int]]:
    """List the files of a folder; those whose names begin with a dot are not finished."""
    files = [file for file in folder.iterdir() if not file.name.startswith(".")]
    return sorted((file.name, file.stat().st_size) for file in files)


def _read(file: Path, start: int, num_bytes: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(num_bytes)
