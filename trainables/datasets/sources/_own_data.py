"""What sources of the user's own images have in common: names of splits and classes, and paths."""

from collections.abc import Iterable
from pathlib import Path

from trainables.datasets.source import Split

SPLIT_NAMES = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}


def split_named(name: str) -> Split | None:
    """Find the split that `name` stands for in any case; `None` where it stands for none."""
    return SPLIT_NAMES.get(name.strip().lower())


def ordered_class_names(names: Iterable[str]) -> tuple[str, ...]:
    """Sort the names, each once: as numbers where all are numbers, else by the alphabet."""
    distinct = set(names)
    if all(name.isdecimal() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def unknown_class(name: str) -> str:
    """Say that an image of validation or test is of a class that train lacks."""
    return f"class {name!r} is not one that the images to train on have"


def path_problem(root: Path, relative: str) -> str | None:
    """Say why `relative` names no file inside the (resolved) root; `None` where it does."""
    if leaves(relative):
        return "a path that leaves the folder"
    path = root / relative
    try:
        if not path.resolve().is_relative_to(root):
            return "a link that leaves the folder"
        if path.is_dir():
            return "a folder where a file is expected"
        return None if path.is_file() else "missing file"
    except (OSError, RuntimeError, ValueError):  # a name too long, links in a circle, a NUL
        return "missing file"


def leaves(relative: str) -> bool:
    """Tell whether a path leaves its folder by its text alone; links are not looked at."""
    return relative.startswith("/") or ".." in relative.split("/")
