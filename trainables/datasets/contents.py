"""What a source gives, checked and written to a folder as plain .npy files and one JSON."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.datasets.decoding.decode_all import Decoded, Outcome, Undecodable, decode_all
from trainables.datasets.decoding.npy import copy_pixels, keep_one_channel
from trainables.datasets.errors import refuse
from trainables.datasets.image_data import Integers, Pixels
from trainables.datasets.sources.source import Arrays, Item, Listing, Split, Splits
from trainables.datasets.splits import MIN_IMAGES_PER_CLASS


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """Decoded images as a folder holds them, mapped from its files; N labelled, M unlabelled."""

    images_NHWC: Pixels
    labels_N: Integers
    splits_N: Splits
    unlabelled_MHWC: Pixels | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    fingerprint: str


def read_contents(folder: Path) -> Contents | None:
    """None where the folder is not there, or is not what was once written."""
    try:
        described = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
        arrays = {name: _load(folder / f"{name}.npy") for name in described["shapes"]}
        if {name: list(array.shape) for name, array in arrays.items()} != described["shapes"]:
            return None
        return Contents(
            images_NHWC=arrays["images"],
            labels_N=arrays["labels"],
            splits_N=arrays["splits"],
            unlabelled_MHWC=arrays.get("unlabelled"),
            class_names=tuple(described["class_names"]),
            notes=tuple(described["notes"]),
            fingerprint=described["fingerprint"],
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def write_contents(
    given: Listing | Arrays, folder: Path, *, source: str, image_size: tuple[int, int] | None
) -> None:
    """Raises DatasetError with every problem of the data at once."""
    labels_N, splits_N = given.labels_N, given.splits_N
    problems = class_problems(labels_N, splits_N, given.class_names)
    notes: list[str] = []
    if isinstance(given, Listing):
        problems += _write_listing(given, folder / "images.npy", image_size, notes)
    elif not problems:
        copy_pixels(given.images_NHWC, folder / "images.npy", image_size)
        if given.unlabelled_NHWC is not None:
            copy_pixels(given.unlabelled_NHWC, folder / "unlabelled.npy", image_size)
    if problems:
        raise refuse(source, problems)
    np.save(folder / "labels.npy", labels_N)
    np.save(folder / "splits.npy", splits_N)
    _describe(folder, given.class_names, notes)


def class_problems(labels_N: Integers, splits_N: Splits, class_names: Sequence[str]) -> list[str]:
    """What is wrong with the whole; labels of -1 are unknown ones."""
    if not len(labels_N):
        return ["no images"]
    if len(class_names) < 2:
        found = f"only {class_names[0]!r}" if class_names else "none"
        return [f"at least 2 classes to train on are needed, but there is {found}"]
    to_train = labels_N[(splits_N == Split.TRAIN) & (labels_N >= 0)]
    counts_K = np.bincount(to_train, minlength=len(class_names))
    needed = f"at least {MIN_IMAGES_PER_CLASS} are needed"
    return [
        f"class {name!r}: {count} images to train on, but {needed}"
        for name, count in zip(class_names, counts_K, strict=True)
        if count < MIN_IMAGES_PER_CLASS
    ]


def _write_listing(
    listing: Listing, target: Path, image_size: tuple[int, int] | None, notes: list[str]
) -> list[str]:
    """Writes `target`, adds to the notes, and returns the problems."""
    if not listing.items:
        return listing.problems
    outcomes = decode_all(
        listing.encoded,
        target,
        num_images=len(listing.items),
        image_size=image_size,
        num_channels=3,
    )
    num_grey = sum(isinstance(outcome, Decoded) and outcome.is_grey for outcome in outcomes)
    if num_grey == len(outcomes):
        keep_one_channel(target)
    elif num_grey:
        notes.append(f"{num_grey:,} grey images converted to RGB")
    different = size_problems(listing.items, outcomes) if image_size is None else []
    return different + listing.problems + undecodable(listing.items, outcomes)


def size_problems(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[str]:
    sizes = [
        (outcome.height * outcome.width, outcome.height, outcome.width, item.location)
        for item, outcome in zip(items, outcomes, strict=True)
        if isinstance(outcome, Decoded)
    ]
    if len({size[1:3] for size in sizes}) < 2:
        return []
    smallest, largest = (
        f"{width} x {height} ({location})"
        for _, height, width, location in (min(sizes), max(sizes))
    )
    return [f"images differ in size, from {smallest} to {largest}: give --image-size"]


def undecodable(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[str]:
    return [
        f"{item.location}: {outcome.reason}"
        for item, outcome in zip(items, outcomes, strict=True)
        if isinstance(outcome, Undecodable)
    ]


def _describe(folder: Path, class_names: Sequence[str], notes: Sequence[str]) -> None:
    arrays = {path.stem: _load(path) for path in sorted(folder.glob("*.npy"))}
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    digest = hashlib.sha256(json.dumps([shapes, class_names]).encode())
    for array in arrays.values():
        digest.update(array.data)
    described = {
        "shapes": shapes,
        "class_names": class_names,
        "notes": notes,
        "fingerprint": digest.hexdigest(),
    }
    (folder / "contents.json").write_text(json.dumps(described, indent=2), encoding="utf-8")


def _load(path: Path) -> np.ndarray[Any, Any]:
    """A plain, read-only array over the file: a np.memmap would be copied when it is pickled."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
