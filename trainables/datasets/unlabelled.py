"""Images to predict: files, folders and tables without labels, decoded as for training."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePath

import numpy as np

from trainables.datasets.decoding.decode import SUFFIXES, Encoded
from trainables.datasets.decoding.decode_all import Outcome, Undecodable, decode_all
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import Integers, Pixels
from trainables.datasets.names import printable
from trainables.datasets.own_data.paths import find_images
from trainables.datasets.own_data.tables.columns import (
    ID_COLUMNS,
    IMAGE_COLUMNS,
    Asked,
    check_unique,
    find_column,
    require_column,
)
from trainables.datasets.own_data.tables.parquet_images import (
    FileImages,
    ParquetImages,
    check_image_type,
    named_paths,
    open_parquet,
)
from trainables.datasets.own_data.walk import walk
from trainables.datasets.source import Spec, SpecError
from trainables.datasets.sources.csv import CsvFile
from trainables.datasets.sources.parquet import Parquet
from trainables.datasets.spec import take_apart

WAYS = "Images to predict are given as files, as folders, as csv:PATH or as parquet:PATH."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UnlabelledImages:
    """Holds N images to predict; those that could not be decoded are black.

    Attributes:
        names: A file's path as it was given, or below the folder that was given; the path or the id
            that a row of a table has; the number of a row of pixels; else `FILE:row NUMBER`.
        images_NHWC: Of the size and the channels that were asked for.
        problems: Says why an image could not be decoded, by its index.
        is_numbered: Whether the names are but the numbers of rows, which say the order alone.
    """

    names: tuple[str, ...]
    images_NHWC: Pixels
    problems: Mapping[int, str]
    is_numbered: bool = False

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
    is_numbered: bool = False
    file: str = ""  # where names are numbers, which other files have too

    def names_beside(self, others: Sequence["_Listed"]) -> Sequence[str]:
        """Give the names, with the file's where other files' rows have the same numbers."""
        if not (self.file and self.is_numbered and len(others) > 1):
            return self.names
        return [f"{self.file}:row {name}" for name in self.names]


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
    names = tuple(printable(name) for part in listed for name in part.names_beside(listed))
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
    return UnlabelledImages(
        names=names,
        images_NHWC=images_NHWC,
        problems=_all_problems(listed, outcomes),
        is_numbered=all(part.is_numbered for part in listed),
    )


def _all_problems(listed: Sequence[_Listed], outcomes: Sequence[Outcome]) -> dict[int, str]:
    problems = {
        index: outcome.reason
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Undecodable)
    }
    first = 0
    for part in listed:
        problems |= {first + index: problem for index, problem in part.problems.items()}
        first += len(part.names)
    return problems


def _list(what: str) -> _Listed:
    tables: dict[str, Callable[[Spec], _Listed]] = {"csv": _list_csv, "parquet": _list_parquet}
    kind, colon, _ = what.partition(":")
    try:
        if colon and kind in tables:
            listed = tables[kind](take_apart(what))
        else:
            listed = _list_path(Path(what.removeprefix("folder:")).expanduser(), what)
    except SpecError as error:
        raise DatasetError(f"{what}: {error}. {WAYS}") from error
    except OSError as error:
        raise DatasetError(f"{error.filename or what}: cannot be read: {error.strerror}") from error
    if not listed.names:
        raise DatasetError(f"{what}: no images to predict ({', '.join(sorted(SUFFIXES))})")
    return listed


def _list_path(path: Path, written: str) -> _Listed:
    if path.is_dir():
        return _list_folder(path)
    if path.is_file():
        return _Listed([written], [path])
    raise DatasetError(f"{written}: no such file or folder. {WAYS}")


def _list_folder(folder: Path) -> _Listed:
    """List the files with the ending of an image, in the order of their paths: those that training
    would find below the folder, links to other folders included."""
    found = []
    for entry in walk(folder.resolve(), data_dir=None):
        if entry.problem:
            raise DatasetError(f"{folder / entry.relative}: {entry.problem}")
        if PurePath(entry.relative).suffix.lower() in SUFFIXES:
            found.append(Path(entry.relative))
    found.sort()
    return _Listed([str(path) for path in found], [folder / path for path in found])


def _list_csv(spec: Spec) -> _Listed:
    source = CsvFile(spec.path, Asked(**spec.options))
    rows, encoded, are_pixels = source.rows_to_predict()
    problems = {
        index: f"{row.location}: {row.problem}" for index, row in enumerate(rows) if row.problem
    }
    names = [row.written or row.location for row in rows]
    if not are_pixels:
        return _Listed(names, encoded, problems)
    if not any(row.written for row in rows):
        names = list(map(str, range(len(rows))))
    return _Listed(names, encoded, problems, is_numbered=_do_count(names), file=spec.path.name)


def _list_parquet(spec: Spec) -> _Listed:
    source = Parquet(spec.path, Asked(**spec.options))
    names: list[str] = []
    files: list[FileImages] = []
    problems: dict[int, str] = {}
    is_numbered = True
    for name in source.tables():
        images, row_names, row_problems = _read_table(source.root, name, source.asked)
        problems |= {len(names) + row: problem for row, problem in row_problems.items()}
        files.append(images)
        is_numbered = is_numbered and not any(row_names)
        names += [text or f"{name}:row {row}" for row, text in enumerate(row_names)]
    is_numbered = is_numbered or _do_count(names)
    return _Listed(names, ParquetImages(files), problems, is_numbered=is_numbered)


def _do_count(names: Sequence[str]) -> bool:
    """Tell whether names are but the numbers of rows, from 0 or 1: they say the order alone."""
    return any(
        all(name == str(number) for number, name in enumerate(names, first)) for first in (0, 1)
    )


def _read_table(
    root: Path, name: str, asked: Asked
) -> tuple[FileImages, list[str], dict[int, str]]:
    """Return a Parquet file's images, their names where it has some, and what is wrong by row."""
    with open_parquet(root / name) as table:
        columns, num_rows = table.schema_arrow.names, table.metadata.num_rows
        image = require_column(name, "image", columns, IMAGE_COLUMNS, asked.image)
        check_unique(name, columns, [image])
        check_image_type(name, columns[image], table.schema_arrow.types[image])
        written = named_paths(table, columns[image])
        names = [written.get(row, "") for row in range(num_rows)]
        ids = find_column(columns, ID_COLUMNS)
        if ids is not None and ids != image:
            values = table.read(columns=[columns[ids]]).column(0)
            names = ["" if value is None else str(value) for value in values.to_pylist()]
    finder = find_images(root / name, written.values(), asked.images, asked.ext)
    found = {row: finder.find(text) for row, text in written.items()}
    folder = (root / name).parent
    images = FileImages(
        file=root / name,
        column=columns[image],
        rows=frozenset(range(num_rows)),
        paths={row: folder / path for row, (path, _) in found.items()},
    )
    problems = {
        row: f"{name}:row {row}: {problem}" for row, (_, problem) in found.items() if problem
    }
    return images, names, problems
