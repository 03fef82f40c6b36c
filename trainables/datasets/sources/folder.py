"""`folder:PATH`: a folder per class, with or without train, val and test folders above."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import counted
from trainables.datasets.own_data.file_lookup import FileLookup, path_problem
from trainables.datasets.own_data.labels import (
    joined_notes,
    label_notes,
    ordered_class_names,
    spell,
    unknown_class,
)
from trainables.datasets.own_data.layout import Layout, find_layout
from trainables.datasets.own_data.walk import Entry, walk
from trainables.datasets.source import Item, Listing, PathTo, SourceKind

SOURCE = SourceKind(
    argument=PathTo.FOLDER,
    help="a folder per class, with or without train/val/test above",
    is_own_data=True,
    open=lambda spec, data_dir: Folder(spec.path, data_dir.resolve()),
)

UNREAD_SUFFIXES = frozenset(
    (".avif", ".cr2", ".dcm", ".dng", ".heic", ".heif", ".jfif", ".jp2", ".nef", ".psd", ".svg")
)
"""Endings of images which are no matter of course: such a file is read or refused, never left."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Lists the images below a folder, which is resolved, but not what a run keeps there."""

    root: Path
    data_dir: Path

    def files(self) -> Iterable[str]:
        """List every file that is not ignored."""
        return (entry.relative for entry in walk(self.root, self.data_dir))

    def read(self) -> Listing:
        """List the images by the folders that they are in, with all problems."""
        layout = find_layout(self.root, self.data_dir)
        class_names = ordered_class_names(map(spell, layout.class_folders))
        labels = {name: label for label, name in enumerate(class_names)}
        items: list[Item] = []
        problems = list(layout.problems)
        left_out: Counter[str] = Counter()
        for entry in walk(self.root, self.data_dir):
            match _place(self.root, entry, layout, labels):
                case Item() as item:
                    items.append(item)
                case _LeftOut(reason=reason):
                    left_out[reason] += 1
                case str() as problem:
                    problems.append(problem)
        encoded = [self.root / item.location for item in items]
        return Listing(
            items=items,
            encoded=encoded,
            class_names=class_names,
            problems=list(dict.fromkeys(problems)),
            notes=[
                *layout.notes,
                *joined_notes(layout.class_folders),
                *label_notes(class_names),
                *(f"{counted(n, 'file')} left out: {why}" for why, n in sorted(left_out.items())),
                *FileLookup().links_out(self.root, map(str, encoded)),
            ],
        )


@dataclass(frozen=True, slots=True)
class _LeftOut:
    reason: str


def _place(
    root: Path, entry: Entry, layout: Layout, labels: dict[str, int]
) -> Item | _LeftOut | str | None:
    """Say which image a file is meant to be, or what is wrong; `None` for one of no matter.

    Every file in the folder of a class, at whatever depth, is meant to be an image, unless it
    has an ending that no image has.
    """
    relative = entry.relative
    found = layout.place(relative)
    is_image = PurePath(relative).suffix.lower() in SUFFIXES
    if found.unlabelled:
        return _LeftOut(f"no class's folder in {found.unlabelled}/") if is_image else None
    if found.unexpected:
        return f"{found.unexpected}: a folder that is none of train, val and test"
    problem = entry.problem or (None if entry.is_plain else path_problem(str(root / relative)))
    if problem:
        return f"{relative}: {problem}"
    if found.class_folder is None:
        return f"{relative}: an image outside the folder of a class" if is_image else None
    if _is_sidecar(root / relative):
        return _LeftOut(f"{PurePath(relative).suffix.lower()} is not the ending of an image")
    name = spell(found.class_folder)
    if name not in labels:
        return f"{found.parent}{name}: {unknown_class(name)}"
    return Item(relative, labels[name], found.split)


def _is_sidecar(path: Path) -> bool:
    """Tell whether a file is no image by its ending, nor begins as one."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in UNREAD_SUFFIXES or not suffix[1:2].isalpha():
        return False
    with path.open("rb") as file:
        start = file.read(12)
    signatures = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    return not (start.startswith(signatures) or start[8:] == b"WEBP")
