"""Which folders are splits and which are classes, in the layouts that archives leave."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import name_first
from trainables.datasets.own_data.split_names import is_unlabelled, split_named, splits_within
from trainables.datasets.own_data.walk import files_in, folders
from trainables.datasets.source import Split

MAX_WRAPPERS = 8
Folders = Callable[[Path], list[Path]]


@dataclass(frozen=True, slots=True)
class Place:
    """Says what the path of a file means.

    Attributes:
        split: Where it belongs.
        class_folder: The name of its class's folder; `None` outside of any.
        parent: The folders above that, with a `/` at the end.
        unlabelled: The folder of images without classes that it is in.
        unexpected: The folder that it is in, where that is none of the layout.
    """

    split: Split = Split.TRAIN
    class_folder: str | None = None
    parent: str = ""
    unlabelled: str | None = None
    unexpected: str | None = None


@dataclass(slots=True)
class Layout:
    """Maps paths to splits and classes; prefixes are relative to the root and end with `/`.

    Attributes:
        splits: The split by the prefix of the class folders; one prefix, perhaps empty, where
            all is to be split.
        unlabelled: Prefixes of images without classes.
        class_folders: The names of those to train on.
        splits_below: Whether the splits are folders in those of the classes.
        given: Whether the folders say the splits.
        problems: What cannot be understood.
        notes: What was guessed.
    """

    splits: dict[str, Split]
    given: bool = False
    splits_below: bool = False
    unlabelled: list[str] = field(default_factory=list)
    class_folders: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def place(self, relative: str) -> Place:
        """Say what the path of a file means."""
        for prefix in self.unlabelled:
            if relative.startswith(prefix):
                return Place(unlabelled=prefix.rstrip("/"))
        for prefix, split in self.splits.items():
            if relative.startswith(prefix):
                return self._place_in(relative, prefix, split)
        first, slash, _ = relative.partition("/")
        above = any(prefix.startswith(f"{first}/") for prefix in (*self.splits, *self.unlabelled))
        return Place(unexpected=first if slash and not above else None)

    def _place_in(self, relative: str, prefix: str, split: Split) -> Place:
        *above, _ = relative.removeprefix(prefix).split("/")
        if not above:
            return Place(split)
        below = split_named(above[1]) if self.splits_below and len(above) > 1 else None
        split = split if below is None else below
        return Place(split, above[0], prefix)


def find_layout(root: Path, data_dir: Path) -> Layout:
    """Look at the folders below a resolved root, but at no image."""

    def list_folders(folder: Path) -> list[Path]:
        return folders(folder, data_dir)

    base, notes = _open_wrappers(root, list_folders)
    named = _split_folders(base, list_folders)
    layout = _layout_of(root, base, named, list_folders)
    layout.notes[:0] = notes
    for prefix, split in layout.splits.items():
        if split is Split.TRAIN:
            classes = list_folders(root / prefix)
            layout.class_folders += [folder.name for folder in classes]
            if not layout.splits_below:
                layout.notes += _same_folders_below(classes, list_folders)
    return layout


def _layout_of(root: Path, base: Path, named: dict[Path, Split], list_folders: Folders) -> Layout:
    children = list_folders(base)
    if not named:
        layout = Layout({_prefix(root, base): Split.TRAIN})
        layout.problems += _all_are_splits(children)
        _look_for_splits_below(layout, children, list_folders)
        return layout
    layout = Layout({}, given=True)
    if any(split_named(folder.name) is None for folder in named):
        meanings = (f"{folder.name} ({split.name.lower()})" for folder, split in named.items())
        layout.notes.append(f"folders taken as splits: {', '.join(meanings)}")
    for folder in children:
        inner = _inner_split_folder(folder, list_folders)
        is_flat = _has_images(inner) and not list_folders(inner)
        split = named.get(folder)
        if is_flat and (split not in (None, Split.TRAIN) or is_unlabelled(folder.name)):
            layout.unlabelled.append(_prefix(root, inner))
        elif split is not None:
            layout.splits[_prefix(root, inner)] = split
            if inner != folder:
                layout.notes.append(
                    f"the classes of {folder.relative_to(root)}/ are in {inner.relative_to(root)}/"
                )
    layout.problems += _several_of_one_split(named)
    return layout


def _open_wrappers(root: Path, list_folders: Folders) -> tuple[Path, list[str]]:
    """Go down where a folder holds but one, which holds folders: an archive's own folder."""
    base = root
    for _ in range(MAX_WRAPPERS):
        inside = list_folders(base)
        if len(inside) != 1 or _has_images(base) or split_named(inside[0].name) is not None:
            break
        if _has_images(inside[0]) or not list_folders(inside[0]):
            break
        base = inside[0]
    if base == root:
        return root, []
    return base, [f"the data set is read from {base.relative_to(root)}/, the only folder there"]


def _split_folders(base: Path, list_folders: Folders) -> dict[Path, Split]:
    """Find the folders named as splits that hold folders; one that holds images is a class.

    Other names count where one of train and another one stand side by side.
    """
    children = list_folders(base)
    exact = {
        folder: split for folder in children if (split := split_named(folder.name)) is not None
    }
    if any(list_folders(folder) for folder in exact):
        return exact
    wide = {
        folder: found.pop() for folder in children if len(found := splits_within(folder.name)) == 1
    }
    others = [folder for folder in children if is_unlabelled(folder.name)]
    to_train = [folder for folder, split in wide.items() if split is Split.TRAIN]
    if any(list_folders(folder) for folder in to_train) and len(wide) + len(others) > 1:
        return wide
    return {}


def _inner_split_folder(folder: Path, list_folders: Folders) -> Path:
    """Go down through `test/test/`, which zips leave."""
    for _ in range(MAX_WRAPPERS):
        inside = list_folders(folder)
        if len(inside) != 1 or _has_images(folder) or not _same_name(inside[0].name, folder.name):
            break
        folder = inside[0]
    return folder


def _same_name(one: str, other: str) -> bool:
    if one.lower() == other.lower():
        return True
    splits = splits_within(one)
    return len(splits) == 1 and splits == splits_within(other)


def _all_are_splits(children: list[Path]) -> list[str]:
    """Refuse to tell train from test, where both hold images and no folders of classes."""
    splits = [splits_within(folder.name) for folder in children]
    if len(children) > 1 and all(len(found) == 1 for found in splits):
        names = ", ".join(folder.name for folder in children)
        return [
            f"{names}: folders of splits that hold no folder per class. Where a CSV file has the "
            "labels, give it: csv:FILE"
        ]
    return []


def _several_of_one_split(named: dict[Path, Split]) -> list[str]:
    counts = Counter(named.values())
    return [
        f"{', '.join(folder.name for folder in named if named[folder] is split)}: several folders "
        f"of {split.name.lower()}; move all but one out of the folder"
        for split, count in counts.items()
        if count > 1
    ]


def _look_for_splits_below(layout: Layout, children: list[Path], list_folders: Folders) -> None:
    """Read CLASS/train and CLASS/test as splits, where all that classes hold are such."""
    below = {folder: list_folders(folder) for folder in children}
    inner_folders = [inner for inside in below.values() for inner in inside]
    named = [inner for inner in inner_folders if split_named(inner.name) is not None]
    if not named:
        return
    if all(
        inside and not _has_images(folder) and all(split_named(i.name) is not None for i in inside)
        for folder, inside in below.items()
    ):
        layout.splits_below = layout.given = True
        layout.notes.append(
            "the folders train, val and test in those of the classes are the splits"
        )
    else:
        example = f"{named[0].parent.name}/{named[0].name}"
        layout.notes.append(
            f"{example}/ is a part of its class, not a split: not all classes have one"
        )


def _same_folders_below(classes: list[Path], list_folders: Folders) -> list[str]:
    """Note that classes hold nothing but the same folders: these may be meant for the classes, as
    in `fold1/cat`, and the others for folds."""
    below = [[inner.name for inner in list_folders(folder)] for folder in classes]
    names = below[0] if below else []
    if len(below) < 2 or len(names) < 2 or any(found != names for found in below):
        return []
    if any(map(_has_images, classes)):
        return []
    return [
        f"the classes are {name_first([folder.name for folder in classes])}; each holds the same "
        f"folders ({name_first(names)}), which are parts of it: where these are the classes, move "
        "them above the others, or name the labels in a CSV"
    ]


def _has_images(folder: Path) -> bool:
    return any(file.suffix.lower() in SUFFIXES for file in files_in(folder))


def _prefix(root: Path, folder: Path) -> str:
    return "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
