"""What a kind of source declares of itself, and what a source of images gives.

A source outside this package is a module that imports from here and defines `SOURCE`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trainables.datasets.decoding.decode import Encoded
from trainables.datasets.image_data import Integers, Pixels, Texts

Splits = npt.NDArray[np.int8]  # of Split values


class SpecError(ValueError):
    """Says which rule the text of `--dataset` breaks, as the end of "its value is X, but ..."."""


class PathTo(Enum):
    """Says what the path in `--dataset` must lead to."""

    FOLDER = "folder"
    FILE = "file"
    FILE_OR_FOLDER = "file or folder"

    def is_at(self, path: Path) -> bool:
        """Tell whether it is at `path`."""
        return (self is not PathTo.FILE and path.is_dir()) or (
            self is not PathTo.FOLDER and path.is_file()
        )


@dataclass(frozen=True, slots=True)
class Spec:
    """Holds the parts of `--dataset`: `KIND[:ARGUMENT][?OPTION=VALUE&...]`.

    Attributes:
        text: What the user wrote.
        kind: The name of the source.
        argument: What stands behind the colon; a path is absolute, and leads to what its kind
            asks for.
        options: Those that are given; their names are known and no value is empty.
    """

    text: str
    kind: str
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Give the argument as a path, for a kind that takes one."""
        return Path(self.argument)


class Source(Protocol):
    """Gives the images of files below one folder.

    The files are listed to find their cache, and read only where there is none.
    """

    @property
    def root(self) -> Path:
        """Give the absolute path of the folder that holds the files."""

    def files(self) -> Iterable[str]:
        """List the files that the decoded images depend on, relative to the root.

        An absolute path may be among them: a source outside this package lists its `__file__`, so
        that its images are read anew when its code changes.
        """

    def read(self) -> "Listing | Arrays":
        """Read labels, splits and images; raises `DatasetError` where that cannot be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceKind:
    """Declares a kind of source: the `SOURCE` of its module, whose name `--dataset` begins with.

    Attributes:
        help: Says in one line what it reads; errors and `--help` show it.
        open: Makes the source from what `--dataset` says and the folder of `--data-dir`, where
            downloads are kept. It raises `SpecError` where the argument or an option breaks a
            rule of this kind.
        argument: What must stand behind the colon: a path, or a text that help shows by this
            placeholder (`HxWxC`); `None` where the name stands alone.
        options: The names that may stand behind `?`, each with the placeholder of its value.
        is_own_data: Whether it is the user's to mend, so that images which are in train and in
            test stop a run; the duplicates of a published set are only told.
    """

    help: str
    open: Callable[[Spec, Path], Source]
    argument: PathTo | str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    is_own_data: bool = False

    def usage(self, name: str) -> str:
        """Write how `--dataset` names it, without the options: `csv:PATH`."""
        if self.argument is None:
            return name
        return f"{name}:{'PATH' if isinstance(self.argument, PathTo) else self.argument}"


class Split(IntEnum):
    """Names the split that a source gives to an image."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True, slots=True)
class Item:
    """Describes one image of a listing.

    Attributes:
        location: How a message names it.
        label: The index of its class; `None` where that is missing or unknown.
        split: Where it belongs.
        group: The name of the group that is in one split as a whole, such as a patient; `None`
            where the source gives no groups.
    """

    location: str
    label: int | None
    split: Split = Split.TRAIN
    group: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Lists images that are still to be decoded.

    Attributes:
        items: What is known of each.
        encoded: The images in the order of `items`; it is iterated over more than once.
        class_names: By label.
        problems: What is wrong, a line each; any refuses the data as a whole.
        notes: What was guessed or left out, a sentence each; a run prints and records them.
    """

    items: list[Item]
    encoded: Iterable[Encoded]
    class_names: tuple[str, ...]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels_N(self) -> Integers:  # noqa: N802 (a shape)
        """Give the labels, -1 where one is missing or unknown."""
        labels = [-1 if item.label is None else item.label for item in self.items]
        return np.array(labels, dtype=np.int64)

    @property
    def splits_N(self) -> Splits:  # noqa: N802 (a shape)
        """Give the splits, as values of `Split`."""
        return np.array([item.split for item in self.items], dtype=np.int8)

    @property
    def groups_N(self) -> Texts | None:  # noqa: N802 (a shape)
        """Give the names of the groups; `None` where an image has none."""
        groups = [item.group for item in self.items if item.group is not None]
        is_known = self.items and len(groups) == len(self.items)
        return np.array(groups, dtype=np.str_) if is_known else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrays:
    """Holds N images that need no decoding; memory-mapped views are welcome.

    Attributes:
        images_NHWC: Of 1 or 3 channels.
        labels_N: Indices into `class_names`.
        splits_N: Values of `Split`.
        class_names: By label.
    """

    images_NHWC: Pixels
    labels_N: Integers
    splits_N: Splits
    class_names: tuple[str, ...]
