"""Paths that data files and folders name, and where they lead."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import DatasetError


@dataclass(frozen=True, slots=True)
class ImagePaths:
    """Finds the files that the cells of a data file mean, never outside the folders given.

    Attributes:
        root: The (resolved) folder of the data file.
        images: The (resolved) folder of the images, where that is another.
        extension: What may have to be added to a cell, with its dot; empty for nothing.
        notes: What was guessed of all cells.
        guessed: How many cells needed a guess of their own, by what it was.
    """

    root: Path
    images: Path | None = None
    extension: str = ""
    notes: tuple[str, ...] = ()
    guessed: Counter[str] = field(default_factory=Counter)

    def find(self, written: str) -> tuple[str, str | None]:
        """Return the path of a file, relative to the root where it is below, and the problem."""
        if not written:
            return "", "image missing"
        names = [f"{written}{self.extension}", written] if self.extension else [written]
        if "\\" in written:
            names += [name.replace("\\", "/") for name in names]
        bases = [*([self.images] if self.images else []), self.root]
        places = [(name, base) for base in bases for name in names]
        problems = []
        for name, base in chain(places, ((name, Path.cwd()) for name in names)):
            path = os.path.normpath(f"{base}{os.sep}{name}" if name[0] != os.sep else name)
            problem = path_problem(path) if self._is_allowed(path) else self._outside()
            if problem is None:
                self._count(written, name, base)
                return path.removeprefix(f"{self.root}{os.sep}"), None
            problems.append(problem)
        is_of_windows = re.match(r"[A-Za-z]:[\\/]", written) is not None
        return written, f"{written}: {self._outside() if is_of_windows else problems[0]}"

    def all_notes(self) -> list[str]:
        """Say what was guessed, and how often."""
        counted = [f"{count:,} paths are read {how}" for how, count in self.guessed.items()]
        return [*self.notes, *counted]

    def _is_allowed(self, path: str) -> bool:
        folders = (self.root, self.images or self.root)
        return any(path.startswith(f"{str(folder).rstrip(os.sep)}{os.sep}") for folder in folders)

    def _outside(self) -> str:
        return (
            f"a path outside {self.images or self.root}: write it relative to that folder, or "
            "give the one that holds the images as ?images=FOLDER"
        )

    def _count(self, written: str, name: str, base: Path) -> None:
        if "\\" in written and "\\" not in name:
            self.guessed["with / in place of \\"] += 1
        if base not in (self.root, self.images):
            self.guessed["relative to the folder that the command was started in"] += 1


def find_images(
    file: Path, cells: Sequence[str], images: str | None, ext: str | None
) -> ImagePaths:
    """Find the folder and the ending of the images that a file's first cells name.

    Where neither is given and no cell names a file, folders beside the file are tried with all
    endings: `train.csv` with `7` means `train/7.png`.

    Raises:
        DatasetError: There is no such folder, or several hold files of these names.
    """
    root = file.parent
    folder = _folder(root, images)
    extension = f".{ext.removeprefix('.')}" if ext else ""
    given = ImagePaths(root, folder, extension)
    named = [cell.strip() for cell in cells if cell.strip()]
    if not named or any(
        ImagePaths(root, folder, extension).find(cell)[1] is None for cell in named
    ):
        return given
    if any(Path(cell).is_absolute() or ".." in cell for cell in named):
        return given
    return _guess(file, named, folder, extension) or given


def _guess(
    file: Path, cells: Sequence[str], folder: Path | None, extension: str
) -> ImagePaths | None:
    root = file.parent
    folders = [folder] if folder else [root, *_subfolders(root)]
    has_ending = all(Path(cell).suffix.lower() in SUFFIXES for cell in cells)
    endings = [extension] if extension else [""] if has_ending else sorted(SUFFIXES)
    endings += [ending.upper() for ending in endings if ending and not extension]
    counts = {
        (place, ending): count
        for place in folders
        for ending in endings
        if (count := sum(path_problem(str(place / f"{c}{ending}")) is None for c in cells))
    }
    best = [found for found, count in counts.items() if count == max(counts.values())]
    same_name = [found for found in best if file.stem.lower() in found[0].name.lower()]
    best = same_name if len(same_name) == 1 else best
    if len(best) > 1:
        places = ", ".join(f"{place / cells[0]}{ending}" for place, ending in best[:5])
        raise DatasetError(
            f"{file.name}: {cells[0]!r} may be any of {places}: say which by "
            "?images=FOLDER and ?ext=ENDING"
        )
    if not best:
        return None
    place, ending = best[0]
    note = f"{file.name}: images are looked for in {place}: {cells[0]!r} is {cells[0]}{ending}"
    return ImagePaths(root, place, ending, notes=(note,))


def _folder(root: Path, images: str | None) -> Path | None:
    if images is None:
        return None
    written = Path(images).expanduser()
    tried = [root / written, Path.cwd() / written]
    for folder in tried:
        if folder.is_dir():
            return folder.resolve()
    places = " nor ".join(dict.fromkeys(map(str, tried)))
    raise DatasetError(f"?images={images}: there is no folder {places}")


def _subfolders(root: Path) -> list[Path]:
    """List the folders in a folder, and those in them: `images/`, `train/train/`."""
    children = [child for child in sorted(root.iterdir()) if _may_hold_images(child)]
    return children + [
        inner for child in children for inner in sorted(child.iterdir()) if _may_hold_images(inner)
    ]


def _may_hold_images(folder: Path) -> bool:
    return not folder.name.startswith(".") and folder.is_dir() and os.access(folder, os.R_OK)


def path_problem(path: str) -> str | None:
    """Say why there is no file at a path; `None` where there is one.

    Links are followed: they were made by whoever made the folder, while the text of a data file
    may come from anywhere.
    """
    try:
        if os.path.isdir(path):  # noqa: PTH112 (many files)
            return "a folder where a file is expected"
        return None if os.path.isfile(path) else "missing file"  # noqa: PTH113
    except (OSError, ValueError):  # a name too long, a NUL
        return "missing file"


def links_out(root: Path, paths: Iterable[Path]) -> list[str]:
    """Note how many files below a (resolved) root are elsewhere, behind links."""
    prefix = f"{root}{os.sep}"
    below = (str(path) for path in paths)
    real = ((path, os.path.realpath(path)) for path in below if path.startswith(prefix))
    outside = [(path, target) for path, target in real if not target.startswith(prefix)]
    if not outside:
        return []
    path, target = outside[0]
    count = f"{len(outside):,} images are links to other folders"
    return [f"{count}, such as {path.removeprefix(prefix)} to {target}"]
