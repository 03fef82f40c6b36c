"""`folder:PATH`: a folder per class, with or without train, val and test folders above."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.source import Item, Listing, PathTo, SourceKind, Split
from trainables.datasets.sources._own_data import (
    ordered_class_names,
    path_problem,
    split_named,
    unknown_class,
)

SOURCE = SourceKind(
    argument=PathTo.FOLDER,
    help="a folder per class, with or without train/val/test above",
    is_own_data=True,
    open=lambda spec, data_dir: Folder(spec.path),
)

IGNORED = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # and all that begins with a dot


@dataclass(frozen=True, slots=True)
class Folder:
    """Lists the images below a folder, which is resolved."""

    root: Path

    def files(self) -> Iterable[str]:
        """List every file that is not ignored."""
        return (relative for relative, _ in _walk(self.root))

    def read(self) -> Listing:
        """List the images by the folders that they are in, with all problems."""
        splits = self._split_folders()
        class_names = ordered_class_names(self._class_names(splits))
        labels = {name: label for label, name in enumerate(class_names)}
        items, problems = [], []
        for relative, is_plain in _walk(self.root):
            if not is_plain and (problem := path_problem(self.root, relative)):
                problems.append(f"{relative}: {problem}")
                continue
            match _place(relative, splits, labels):
                case Item() as item:
                    items.append(item)
                case str() as problem:
                    problems.append(problem)
        return Listing(
            items=items,
            encoded=[self.root / item.location for item in items],
            class_names=class_names,
            problems=list(dict.fromkeys(problems)),
        )

    def _split_folders(self) -> dict[str, Split]:
        """Find the folders named as a split that hold folders; one that holds images is a class."""
        named = {folder.name: split_named(folder.name) for folder in _folders(self.root)}
        splits = {name: split for name, split in named.items() if split is not None}
        return splits if any(_folders(self.root / name) for name in splits) else {}

    def _class_names(self, splits: dict[str, Split]) -> Iterator[str]:
        to_train = [name for name, split in splits.items() if split is Split.TRAIN]
        for parent in [self.root / name for name in to_train] if splits else [self.root]:
            yield from (folder.name for folder in _folders(parent))


def _place(relative: str, splits: dict[str, Split], labels: dict[str, int]) -> Item | str | None:
    """Say which image a file is meant to be, or what is wrong; `None` for one of no matter.

    Every file in the folder of a class, at whatever depth, is meant to be an image.
    """
    *folders, name = relative.split("/")
    split = Split.TRAIN
    if splits and folders:
        first = folders.pop(0)
        if first not in splits:
            return f"{first}: a folder that is none of train, val and test"
        split = splits[first]
    if not folders:
        is_image = PurePath(name).suffix.lower() in SUFFIXES
        return f"{relative}: an image outside the folder of a class" if is_image else None
    if folders[0] not in labels:
        parent = relative.partition("/")[0]
        return f"{parent}/{folders[0]}: {unknown_class(folders[0])}"
    return Item(relative, labels[folders[0]], split)


def _walk(folder: Path, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield (relative path, whether it is a plain file and no link); links are not entered."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if _ignored(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.is_file(follow_symlinks=False)


def _folders(folder: Path) -> list[Path]:
    return [
        child
        for child in folder.iterdir()
        if child.is_dir() and not child.is_symlink() and not _ignored(child.name)
    ]


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in IGNORED
