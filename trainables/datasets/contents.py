"""What a source gives, checked and written to a folder as plain .npy files and one JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.config.validation import from_json, to_json
from trainables.datasets.decoding.decode_all import Decoded, Outcome, decode_all
from trainables.datasets.decoding.npy import copy_pixels, keep_one_channel
from trainables.datasets.decoding.originals import describe_originals, originals_of
from trainables.datasets.errors import counted, fold, refuse
from trainables.datasets.image_data import Integers, Originals, Pixels, Texts
from trainables.datasets.names import name_images, printable
from trainables.datasets.notes import decoding_problems, describe_classes, describe_decoding
from trainables.datasets.source import Arrays, Listing, Split, Splits
from trainables.datasets.splits.draw import MIN_IMAGES_PER_CLASS
from trainables.datasets.splits.groups import group_problems

DTYPES = {"images": np.uint8, "labels": np.int64, "splits": np.int8}
"""The arrays in a folder, each in a file `NAME.npy`, in the order in which they are hashed.

Beside them are `names.npy` and, where the source gives groups, `groups.npy`. These are not hashed:
equal images are equal whatever their files' names.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """Holds N decoded images, mapped from the files of a folder."""

    folder: Path
    images_NHWC: Pixels
    labels_N: Integers
    names_N: Texts
    splits_N: Splits
    groups_N: Texts | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    originals: Originals
    fingerprint: str

    def is_sound(self) -> bool:
        """Read all of it, to tell whether it is still what the fingerprint was made of."""
        arrays = self.images_NHWC, self.labels_N, self.splits_N
        found = _fingerprint(dict(zip(DTYPES, arrays, strict=True)), self.class_names)
        return found == self.fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class _Description:
    """Holds what `contents.json` says of the arrays beside it."""

    shapes: Mapping[str, tuple[int, ...]]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    originals: Originals
    fingerprint: str
    has_groups: bool = False


def read_contents(folder: Path) -> Contents | None:
    """Map what `write_contents` wrote; `None` where the folder does not hold that, whole."""
    try:
        described = _read_description(folder)
        arrays = {name: _map(folder / f"{name}.npy") for name in DTYPES}
        names_N = _map(folder / "names.npy")
        groups_N = _map(folder / "groups.npy") if described.has_groups else None
    except (OSError, ValueError):
        # OSError: a file is missing or cannot be read. ValueError: `contents.json` is not UTF-8,
        # not JSON or describes something else, or an array's file is cut short or not .npy.
        return None
    if _shapes(arrays) != described.shapes or _dtypes(arrays) != DTYPES:
        return None
    texts = [names_N] if groups_N is None else [names_N, groups_N]
    if any(text_N.shape != arrays["labels"].shape or text_N.dtype.kind != "U" for text_N in texts):
        return None
    return Contents(
        folder=folder.absolute(),
        images_NHWC=arrays["images"],
        labels_N=arrays["labels"],
        names_N=names_N,
        splits_N=arrays["splits"],
        groups_N=groups_N,
        class_names=described.class_names,
        notes=described.notes,
        originals=described.originals,
        fingerprint=described.fingerprint,
    )


def write_contents(
    given: Listing | Arrays,
    folder: Path,
    *,
    source: str,
    root: Path,
    image_size: tuple[int, int] | None,
    lists: Path,
) -> None:
    """Write what a source gives into an empty folder, decoded and resized to `image_size`, (H, W).

    Args:
        root: The folder of the source's files, below which images are named.
        lists: The folder that takes lists of problems and notes that are too long to print.

    Raises:
        DatasetError: The data has problems; the message, which names the `source`, lists them, or
            names the file that does.
    """
    labels_N, splits_N = given.labels_N, given.splits_N
    groups_N = given.groups_N if isinstance(given, Listing) else None
    problems = form_problems(given) or class_problems(labels_N, splits_N, given.class_names)
    names_N = name_images(given, root)
    images = folder / "images.npy"
    if isinstance(given, Listing):
        problems += group_problems(given)
        outcomes = _write_listing(given, images, image_size)
        problems += decoding_problems(given, outcomes, is_resized=image_size is not None)
    if problems:
        raise refuse(source, problems, lists)
    if isinstance(given, Listing):
        notes = given.notes + describe_decoding(outcomes, names_N, lists)
        originals = originals_of(outcomes)
    else:
        copy_pixels(given.images_NHWC, images, image_size)
        notes, originals = [], describe_originals([given.images_NHWC.shape[1:3]] * len(labels_N))
    np.save(folder / "labels.npy", labels_N.astype(DTYPES["labels"]))
    np.save(folder / "splits.npy", splits_N.astype(DTYPES["splits"]))
    np.save(folder / "names.npy", names_N)
    if groups_N is not None:
        np.save(folder / "groups.npy", groups_N)
    notes += describe_classes(labels_N, splits_N, given.class_names)
    _describe(folder, tuple(given.class_names), tuple(fold(notes, lists)), originals)


def form_problems(given: Listing | Arrays) -> list[str]:
    """Say where labels, splits or arrays are not what their class asks for: a bug of the source."""
    problems = []
    lowest_label, num_images = 0, len(given.labels_N)
    if isinstance(given, Arrays):
        images, num_images = given.images_NHWC, len(given.images_NHWC)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            problems.append(
                f"images are {images.dtype} of shape {images.shape}, but must be uint8 of shape "
                "(N, H, W, 1) or (N, H, W, 3)"
            )
    elif given.problems:
        lowest_label = -1  # the problems tell which image has no label
    labels = _whole_numbers("labels", given.labels_N, num_images, lowest_label, given.class_names)
    return problems + labels + _whole_numbers("splits", given.splits_N, num_images, 0, list(Split))


def _whole_numbers(
    name: str, values_N: npt.NDArray[Any], num_images: int, lowest: int, of: Sequence[object]
) -> list[str]:
    if values_N.shape != (num_images,):
        return [f"{name} have shape {values_N.shape}, but must have ({num_images},)"]
    if values_N.dtype.kind not in "iu" or not np.isin(values_N, range(lowest, len(of))).all():
        return [f"{name} must be whole numbers, from 0 to {len(of) - 1}"]
    return []


def class_problems(labels_N: Integers, splits_N: Splits, class_names: Sequence[str]) -> list[str]:
    """Say what keeps the whole from being trained on; labels of -1 are unknown ones."""
    if not len(labels_N):
        return ["no images"]
    if len(class_names) < 2:
        found = f"only {class_names[0]!r}" if class_names else "none"
        return [f"at least 2 classes to train on are needed, but there is {found}"]
    unreadable = [name for name in class_names if printable(name) != name]
    if unreadable:
        return [f"class {name!r}: its name is not UTF-8: rename it" for name in unreadable]
    to_train = labels_N[(splits_N == Split.TRAIN) & (labels_N >= 0)]
    counts_K = np.bincount(to_train, minlength=len(class_names))
    needed = f"at least {MIN_IMAGES_PER_CLASS} are needed"
    return [
        f"class {name!r}: {counted(int(count), 'image')} to train on, but {needed}"
        for name, count in zip(class_names, counts_K, strict=True)
        if count < MIN_IMAGES_PER_CLASS
    ]


def _write_listing(
    listing: Listing, target: Path, image_size: tuple[int, int] | None
) -> list[Outcome]:
    """Decode the images of a listing into `target`, and say what became of each."""
    if not listing.items:
        return []
    outcomes = decode_all(
        listing.encoded,
        target,
        num_images=len(listing.items),
        image_size=image_size,
        num_channels=3,
    )
    if all(isinstance(outcome, Decoded) and outcome.is_grey for outcome in outcomes):
        keep_one_channel(target)
    return outcomes


def _describe(
    folder: Path, class_names: tuple[str, ...], notes: tuple[str, ...], originals: Originals
) -> None:
    arrays = {name: _map(folder / f"{name}.npy") for name in DTYPES}
    described = _Description(
        shapes=_shapes(arrays),
        class_names=class_names,
        notes=notes,
        originals=originals,
        fingerprint=_fingerprint(arrays, class_names),
        has_groups=(folder / "groups.npy").is_file(),
    )
    text = json.dumps(to_json(described), indent=2)
    (folder / "contents.json").write_text(text, encoding="utf-8")


def _fingerprint(arrays: Mapping[str, npt.NDArray[Any]], class_names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(json.dumps([_shapes(arrays), class_names]).encode())
    for array in arrays.values():
        digest.update(array.data)
    return digest.hexdigest()


def _read_description(folder: Path) -> _Description:
    stored = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
    if not isinstance(stored, dict):
        raise ValueError(f"{folder}: contents.json holds no names and values")  # noqa: TRY004
    return from_json(_Description, stored)


def _map(path: Path) -> npt.NDArray[Any]:
    """Map a .npy file as a plain, read-only array: a np.memmap is copied when it is pickled.

    Raises `OSError` where it cannot be read, `ValueError` where it is damaged or not .npy.
    """
    try:
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except (TypeError, SyntaxError, TokenError, OverflowError) as error:
        # numpy parses the header as Python, sorts its keys and multiplies the lengths of its axes
        raise ValueError(f"{path}: {error}") from error


def _shapes(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def _dtypes(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, np.dtype[Any]]:
    return {name: array.dtype for name, array in arrays.items()}
