"""Images to predict: files, folders and tables without labels, decoded as for training."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePath

import numpy as np

from trainables.datasets.decoding.decode import SUFFIXES, Encoded
from trainables.datasets.decoding.decode_all import Undecodable, decode_all
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Integers, Pixels
from trainables.datasets.names import printable
from trainables.datasets.own_data.columns import IMAGE_COLUMNS, find_column, require_column
from trainables.datasets.own_data.parquet_images import (
    FileImages,
    ParquetImages,
    check_image_type,
    named_paths,
    open_parquet,
)
from trainables.datasets.own_data.paths import find_images
from trainables.datasets.own_data.table import SAMPLE_ROWS
from trainables.datasets.source import Spec
from trainables.datasets.sources.csv import CsvFile
from trainables.datasets.sources.parquet import Parquet
from trainables.datasets.spec import parse_spec

ID_COLUMNS = ("id", "image_id", "file_name", "filename", "name")
"""The columns of a Parquet file that may name its images."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UnlabelledImages:
    """Holds N images to predict; those that could not be decoded are black.

    Attributes:
        names: A file's path as it was given, or below the folder that was given; the path or the id
            that a row of a table has; else `FILE:row NUMBER`.
        images_NHWC: Of the size and the channels that were asked for.
        problems: Says why an image could not be decoded, by its index.
    """

    names: tuple[str, ...]
    images_NHWC: Pixels
    problems: Mapping[int, str]

    @property
    def sound_indices(self) -> Integers:
        """Give the sorted indices of the images that were decoded."""
        everything = np.arange(len(self.names))
        return np.setdiff1d(everything, list(self.problems), assume_unique=True)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Lists images that are still to be decoded; a problem is known by an image's index."""

    names: Sequence[str]
    encoded: Iterable[Encoded]
    problems: Mapping[int, str] = field(default_factory=dict)


def load_unlabelled(
    given: Sequence[str], *, image_size: int | tuple[int, int], num_channels: int
) -> UnlabelledImages:
    """Decode images as a model wants them.

    Args:
        given: Image files, folders of them at any depth, `csv:PATH` and `parquet:PATH`, perhaps
            with `?image=NAME`; labels are not looked at.
        image_size: P or (H, W).
        num_channels: 1 or 3.

    Raises:
        DatasetError: There is nothing at a path that was given, or nothing to predict there.
    """
    listed = [_list(what) for what in given]
    names = tuple(printable(name) for part in listed for name in part.names)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    with tempfile.TemporaryDirectory(prefix="unlabelled-") as folder:
        target = Path(folder) / "images.npy"
        outcomes = decode_all(
            chain.from_iterable(part.encoded for part in listed),
            target,
            num_images=len(names),
            image_size=size,
            num_channels=num_channels,
        )
        images_NHWC = np.load(target, mmap_mode="r")  # stays mapped when its name is gone
    problems = {
        index: outcome.reason
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Undecodable)
    }
    first = 0
    for part in listed:
        problems |= {first + index: problem for index, problem in part.problems.items()}
        first += len(part.names)
    return UnlabelledImages(names=names, images_NHWC=images_NHWC, problems=problems)


def _list(what: str) -> _Listed:
    tables: dict[str, Callable[[Spec], _Listed]] = {"csv": _list_csv, "parquet": _list_parquet}
    kind, colon, _ = what.partition(":")
    if colon and kind in tables:
        listed = tables[kind](parse_spec(what))
    else:
        listed = _list_path(Path(what.removeprefix("folder:")).expanduser(), what)
    if not listed.names:
        raise DatasetError(f"{what}: no images to predict ({', '.join(sorted(SUFFIXES))})")
    return listed


def _list_path(path: Path, written: str) -> _Listed:
    try:
        if path.is_dir():
            return _list_folder(path)
        if path.is_file():
            return _Listed([written], [path])
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error
    raise DatasetError(
        f"{written}: no such file or folder. Images to predict are given as files, as folders, "
        "as csv:PATH or as parquet:PATH."
    )


def _list_folder(folder: Path) -> _Listed:
    """List the files with the ending of an image, in the order of their paths."""

    def refuse(error: OSError) -> None:
        raise error

    found = [
        Path(parent, name).relative_to(folder)
        for parent, folders, names in os.walk(folder, onerror=refuse)
        for name in names
        if PurePath(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    ]
    found.sort()
    return _Listed([str(path) for path in found], [folder / path for path in found])


def _list_csv(spec: Spec) -> _Listed:
    source = CsvFile(spec.path, **spec.options)
    rows = list(source.rows(labelled=False))
    problems = {
        index: f"{row.location}: {row.problem}" for index, row in enumerate(rows) if row.problem
    }
    encoded: list[Encoded] = [b"" if row.problem else source.root / row.image for row in rows]
    return _Listed([row.written or row.location for row in rows], encoded, problems)


def _list_parquet(spec: Spec) -> _Listed:
    source = Parquet(spec.path, **spec.options)
    names: list[str] = []
    files: list[FileImages] = []
    problems: dict[int, str] = {}
    for name in source.tables():
        with open_parquet(source.root / name) as table:
            columns, num_rows = table.schema_arrow.names, table.metadata.num_rows
            image = require_column(name, "image", columns, IMAGE_COLUMNS, source.image)
            check_image_type(name, columns[image], table.schema_arrow.types[image])
            written = named_paths(table, columns[image])
            row_names = [written.get(row, f"{name}:row {row}") for row in range(num_rows)]
            ids = find_column(columns, ID_COLUMNS)
            if ids is not None:
                values = table.read(columns=[columns[ids]]).column(0)
                row_names = [str(value) for value in values.to_pylist()]
        finder = find_images(source.root / name, list(written.values())[:SAMPLE_ROWS], None, None)
        paths: dict[int, Path] = {}
        for row, text in written.items():
            path, problem = finder.find(text)
            paths[row] = (source.root / name).parent / path
            if problem is not None:
                problems[len(names) + row] = f"{name}:row {row}: {problem}"
        files.append(
            FileImages(
                file=source.root / name,
                column=columns[image],
                rows=frozenset(range(num_rows)),
                paths=paths,
            )
        )
        names += row_names
    return _Listed(names, ParquetImages(files), problems)
