"""From the text of `--dataset` to images."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from trainables.datasets.cache import cache_key, load_or_decode
from trainables.datasets.contents import Contents, read_contents
from trainables.datasets.decoding.originals import (
    USUAL_SIZES,
    covering_size,
    describe_originals,
    propose_size,
    read_sizes,
)
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import ImageData, Integers, Originals, Texts
from trainables.datasets.source import Listing, Spec
from trainables.datasets.spec import open_source, parse_spec
from trainables.datasets.splits.draw import Indices, split_indices
from trainables.datasets.splits.folds import cut_folds
from trainables.datasets.splits.groups import number_groups

DECODED = "decoded"
"""The folder within `--data-dir` that holds the images, decoded."""


def load_dataset(
    spec: str,
    *,
    data_dir: Path,
    image_size: int | Literal["auto"] | None = None,
    train_size: int | None = None,
    split_seed: int = 0,
    folds: int | None = None,
) -> ImageData:
    """Load the images that `spec` names: decode them, or read them back, and split them.

    Args:
        spec: The text of `--dataset`.
        data_dir: Downloads and decoded images are kept there.
        image_size: P resizes to P x P; `auto` resizes images that differ in size, or are larger
            than the largest usual size, to the usual one that loses least.
        train_size: Keep so many of the images to train on, stratified; where the source gives no
            validation split, it is taken from these.
        split_seed: Of the splits that the source does not give.
        folds: Cut all but the test split into so many folds.

    Raises:
        DatasetError: The data cannot be used as it is; the message lists all problems at once.
    """
    contents = _load_contents(parse_spec(spec), data_dir, image_size)
    labels_N, groups_N = contents.labels_N, contents.groups_N
    indices = split_indices(
        labels_N, contents.splits_N, train_size=train_size, seed=split_seed, groups_N=groups_N
    )
    data = ImageData(
        images_NHWC=contents.images_NHWC,
        labels_N=labels_N,
        names_N=contents.names_N,
        class_names=contents.class_names,
        train_indices=indices.train,
        validation_indices=indices.validation,
        test_indices=indices.test,
        fingerprint=contents.fingerprint,
        split_fingerprint=indices.fingerprint(*_grouping(groups_N)),
        source=spec,
        notes=contents.notes,
        originals=contents.originals,
        groups_N=groups_N,
        decoded=contents.folder,
    )
    return data if folds is None else _cut(data, indices, num_folds=folds, seed=split_seed)


def _cut(data: ImageData, indices: Indices, *, num_folds: int, seed: int) -> ImageData:
    """Cut all but the test split into folds, the first of which is validated on."""
    groups_N = data.groups_N
    folds = cut_folds(
        data.labels_N, data.known_indices, num_folds=num_folds, seed=seed, groups_N=groups_N
    )
    fingerprint = indices.fingerprint(*_grouping(groups_N), *folds)
    return replace(replace(data, folds=folds).in_fold(0), split_fingerprint=fingerprint)


def _grouping(groups_N: Texts | None) -> list[Integers]:
    return [] if groups_N is None else [number_groups(groups_N)]


def load_to_look(spec: str, *, data_dir: Path, image_size: int | None = None) -> ImageData:
    """Load the images as `load_dataset` does, to be looked at and not to be trained on: at a usual
    size where they differ in size and `image_size` is not given.

    Raises:
        DatasetError: The data cannot be used as it is, for another reason than that.
    """
    if image_size is None:
        originals = _originals_to_resize(parse_spec(spec), data_dir)
        image_size = None if originals is None else propose_size(originals)
    return load_dataset(spec, data_dir=data_dir, image_size=image_size)


def _load_contents(
    spec: Spec, data_dir: Path, image_size: int | Literal["auto"] | None
) -> Contents:
    """Decode the images of `spec`, or read them back, at the size that is asked for."""
    if image_size == "auto":
        originals = _originals_to_resize(spec, data_dir)
        image_size = None if originals is None else covering_size(originals)
    if image_size is not None and image_size < 1:
        raise DatasetError(f"the value of --image-size is {image_size}, but must be at least 1.")
    with _access(spec, data_dir):
        return load_or_decode(
            open_source(spec, data_dir),
            spec,
            folder=data_dir / DECODED,
            image_size=None if image_size is None else (image_size, image_size),
        )


def _originals_to_resize(spec: Spec, data_dir: Path) -> Originals | None:
    """Describe images that differ in size or are large; return `None` for others.

    The headers of all files are read to find that out.
    """
    with _access(spec, data_dir):
        source = open_source(spec, data_dir)
        contents = read_contents(data_dir / DECODED / cache_key(source, spec, None))
        given = contents or source.read()
        if isinstance(given, Listing):
            sizes = read_sizes(given.encoded, len(given.items))
        else:
            sizes = [given.images_NHWC.shape[1:3]]
    if not sizes or (len(set(sizes)) == 1 and max(sizes[0]) <= USUAL_SIZES[-1]):
        return None
    return describe_originals(sizes)


@contextmanager
def _access(spec: Spec, data_dir: Path) -> Iterator[None]:
    """Raise `DatasetError` where the system does not give a file."""
    try:
        yield
    except OSError as error:
        raise _no_access(error, spec, data_dir) from error


def _no_access(error: OSError, spec: Spec, data_dir: Path) -> DatasetError:
    """Say which of the user's files, or of those kept in `data_dir`, the system does not give."""
    reason = error.strerror or str(error)
    file = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    is_of_source = file is not None and spec.argument and file.is_relative_to(spec.path)
    if file is not None and not is_of_source and file.is_relative_to(data_dir):
        return DatasetError(
            f"the value of --data-dir is '{data_dir}', but {file} cannot be used ({reason}): give "
            "a folder of yours, with room."
        )
    what = reason if file is None else f"{file} cannot be read ({reason})"
    return DatasetError(
        f"the value of --dataset is {spec.text!r}, but {what}: it must be there and readable, "
        "with all that is in it."
    )
