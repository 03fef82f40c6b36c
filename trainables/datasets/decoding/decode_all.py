"""Many images: decoded once, on all cores, straight into one .npy file."""

import os
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainables.datasets.decoding.decode import Encoded, open_image, to_pixels
from trainables.datasets.decoding.npy import create_npy
from trainables.datasets.image_data import Pixels
from trainables.progress import progress_bar

CHUNK_SIZE = 32  # images: milliseconds of work for thumbnails, seconds for photographs
PATIENCE_SECONDS = 1.0  # a small set is done before a process would have started


class Decoded(NamedTuple):
    """Describes an image that was decoded, as its source has it, upright.

    Attributes:
        height, width: In pixels.
        mode: Pillow's name of the mode that its file has.
        is_grey: Whether it has no colours.
        grey_bits: How many bits the grey values of a 16-bit file use; `None` for one of 8 bits.
        num_levels: How far the pixels of a channel are apart at most, of 256 levels.
    """

    height: int
    width: int
    mode: str
    is_grey: bool
    grey_bits: int | None
    num_levels: int


class Undecodable(NamedTuple):
    """Says why an image could not be decoded."""

    reason: str


Outcome = Decoded | Undecodable
Chunk = tuple[int, list[Encoded]]  # the index of the first image, and the images


def decode_all(
    encoded: Iterable[Encoded],
    target: Path,
    *,
    num_images: int,
    image_size: tuple[int, int] | None,
    num_channels: int,
) -> list[Outcome]:
    """Decode N images into the file `target`, N x H x W x C, and say what became of each.

    Without an `image_size` the first image that can be decoded gives it; images of another size
    are decoded, which finds the damaged ones, but not written. Work begins in this process and
    moves to a process per core when it lasts.

    Raises:
        DatasetError: The disk has no room for `target`.
    """
    height, width = image_size or _first_size(encoded)
    create_npy(target, (num_images, height, width, num_channels))
    decode = partial(_decode_chunk, target=target, resize=image_size is not None)
    outcomes: list[Outcome] = [Undecodable("not reached")] * num_images
    with progress_bar("Decoding images", num_images) as advance:

        def receive(result: tuple[int, list[Outcome]]) -> None:
            first, decoded = result
            outcomes[first : first + len(decoded)] = decoded
            advance(len(decoded))

        chunks = _chunks(encoded)
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE_SECONDS:
            chunk = next(chunks, None)
            if chunk is None:
                return outcomes
            receive(decode(chunk))
        from trainables.datasets.decoding.processes import map_in_processes

        map_in_processes(decode, chunks, receive, num_processes=_num_cores())
    return outcomes


def _decode_chunk(chunk: Chunk, *, target: Path, resize: bool) -> tuple[int, list[Outcome]]:
    first, encoded = chunk
    pixels_NHWC = np.lib.format.open_memmap(target, mode="r+")
    outcomes = [
        _decode_into(pixels_NHWC[index], image, resize=resize)
        for index, image in enumerate(encoded, start=first)
    ]
    return first, outcomes


def _decode_into(pixels_HWC: Pixels, encoded: Encoded, *, resize: bool) -> Outcome:
    height, width, num_channels = pixels_HWC.shape
    try:
        image, mode, grey_bits = open_image(
            encoded if isinstance(encoded, bytes) else encoded.read_bytes()
        )
    except OSError as error:
        return Undecodable(f"cannot be read: {error.strerror}")
    except ValueError as error:
        return Undecodable(str(error))
    if resize or (image.height, image.width) == (height, width):
        pixels_HWC[:] = to_pixels(image, image_size=(height, width), num_channels=num_channels)
    is_used_CL = np.array(image.histogram()).reshape(-1, 256) > 0
    num_levels = max(int(np.ptp(np.flatnonzero(is_used_L))) for is_used_L in is_used_CL)
    is_grey = image.mode == "L"
    return Decoded(image.height, image.width, mode, is_grey, grey_bits, num_levels)


def _first_size(encoded: Iterable[Encoded]) -> tuple[int, int]:
    for image in encoded:
        try:
            first = open_image(image if isinstance(image, bytes) else image.read_bytes()).image
        except (OSError, ValueError):
            continue
        return first.height, first.width
    return 1, 1


def _chunks(encoded: Iterable[Encoded]) -> Iterator[Chunk]:
    images, first = iter(encoded), 0
    while chunk := list(islice(images, CHUNK_SIZE)):
        yield first, chunk
        first += len(chunk)


def _num_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
