"""Images to predict: a CSV that needs no labels, decoded as those of training were."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.datasets.contents import undecodable
from trainables.datasets.decoding.decode_all import decode_all
from trainables.datasets.errors import DatasetError, refuse
from trainables.datasets.image_data import Pixels
from trainables.datasets.source import Item
from trainables.datasets.sources.csv import CsvFile
from trainables.datasets.spec import parse_spec


@dataclass(frozen=True, slots=True, eq=False)
class UnlabelledImages:
    """Holds images to predict; the paths are as the CSV gives them."""

    paths: tuple[str, ...]
    images_NHWC: Pixels


def load_unlabelled(
    spec: str, *, image_size: int | tuple[int, int], num_channels: int
) -> UnlabelledImages:
    """Decode the images of `csv:PATH` as a model wants them.

    Args:
        spec: `csv:PATH`, perhaps with `?image=NAME`; labels are not looked at.
        image_size: P or (H, W).
        num_channels: 1 or 3.

    Raises:
        DatasetError: `spec` is none such, or images cannot be decoded; all of them are listed.
    """
    parsed = parse_spec(spec)
    if parsed.kind != "csv":
        raise DatasetError(f"images to predict are given as csv:PATH, not as {spec!r}.")
    source = CsvFile(parsed.path, **parsed.options)
    rows = list(source.rows(labelled=False))
    sound = [row for row in rows if row.problem is None]
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "images.npy"
        outcomes = decode_all(
            [source.root / row.image for row in sound],
            target,
            num_images=len(sound),
            image_size=size,
            num_channels=num_channels,
        )
        found = [f"{row.location}: {row.problem}" for row in rows if row.problem]
        found += undecodable([Item(row.location, None) for row in sound], outcomes)
        if found or not rows:
            raise refuse(spec, found or ["no images"])
        return UnlabelledImages(tuple(row.image for row in rows), np.load(target))
