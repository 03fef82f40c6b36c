"""Paths that data files and folders name, and where they lead."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from trainables.datasets.decoding.decode import SUFFIXES
from trainables.datasets.errors import DatasetError, counted
from trainables.datasets.own_data.file_lookup import FileLookup, path_problem
from trainables.datasets.own_data.moved_paths import MovedPaths, find_moved, is_elsewhere

SAMPLE_CELLS = 20


@dataclass(frozen=True)
class ImagePaths:
    """Finds the files that the cells of a data file mean, never outside the folders given.

    Attributes:
        root: The (resolved) folder of the data file.
        images: The (resolved) folder of the images, where that is another.
        extension: What may have to be added to a cell, with its dot; empty for nothing.
        notes: What was guessed of all cells.
        moved: What absolute paths from another machine mean.
        guessed: How many cells needed a guess of their own, by what it was.
        lookup: Where files are looked up.
    """

    root: Path
    images: Path | None = None
    extension: str = ""
    notes: tuple[str, ...] = ()
    moved: MovedPaths = field(default_factory=MovedPaths)
    guessed: Counter[str] = field(default_factory=Counter)
    lookup: FileLookup = field(default_factory=FileLookup)

    def find(self, written: str) -> tuple[str, str | None]:
        """Return the path of a file, relative to the root where it is below, and the problem."""
        if not written:
            return "", "image missing"
        first_problem = None
        for name, base in self._places(written):
            path = f"{base}{os.sep}{name}" if name[0] != os.sep else name
            if "/." in path or "//" in path or name[0] == os.sep or name[-1] == os.sep:
                path = os.path.normpath(path)
            is_allowed = path.startswith(self._allowed)
            problem = self.lookup.problem(path) if is_allowed else self._outside()
            if problem is None:
                self._count(written, name, base)
                return self._relative(path), None
            first_problem = first_problem or problem
        if written in self.moved.files:
            path = self.moved.files[written]
            problem = self.lookup.problem(path)
            return self._relative(path), problem and f"{written}: {path}: {problem}"
        is_of_windows = re.match(r"[A-Za-z]:[\\/]", written) is not None
        problem = self._outside() if is_of_windows else first_problem
        return written, f"{written}: {self.moved.problems.get(written, problem)}"

    def all_notes(self) -> list[str]:
        """Say what was guessed, and how often."""
        counted_guesses = [
            f"{counted(count, 'path is', 'paths are')} read {how}"
            for how, count in self.guessed.items()
        ]
        return [*self.notes, *self.moved.notes, *counted_guesses]

    def links_out(self, files: Iterable[str]) -> list[str]:
        """Note how many of the files that were found are elsewhere, behind links."""
        return self.lookup.links_out(self.root, files)

    @cached_property
    def _allowed(self) -> tuple[str, ...]:
        """Give the folders, with a separator behind, below which files may be."""
        folders = (self.root, self.images or self.root)
        return tuple(f"{str(folder).rstrip(os.sep)}{os.sep}" for folder in folders)

    @cached_property
    def _bases(self) -> tuple[str, ...]:
        folders = [*([self.images] if self.images else []), self.root]
        return tuple(str(folder) for folder in folders)

    def _places(self, written: str) -> Iterator[tuple[str, str]]:
        """Yield what a cell may mean, the likeliest first: a name, and the folder it is in."""
        plain = [f"{written}{self.extension}", written] if self.extension else [written]
        for spell in (list, _other_spellings):
            names = spell(plain)
            for base in self._bases:
                for name in names:
                    yield name, base
            for name in names:
                yield name, os.getcwd()  # noqa: PTH109 (a text is needed)

    def _relative(self, path: str) -> str:
        return path.removeprefix(self._allowed[0])

    def _outside(self) -> str:
        return (
            f"a path outside {self.images or self.root}: write it relative to that folder, or "
            "give the one that holds the images as ?images=FOLDER"
        )

    def _count(self, written: str, name: str, base: str) -> None:
        if "\\" in written and "\\" not in name:
            self.guessed["with / in place of \\"] += 1
        if name.count("%") < written.count("%"):
            self.guessed["with the characters that %20 and the like stand for"] += 1
        if len(name) != len(written) and _composed(name) == _composed(written):
            self.guessed["in another Unicode form of their letters"] += 1
        if name != written and name.lower() == written.lower():
            self.guessed["with the ending in small or capital letters"] += 1
        if base not in self._bases:
            self.guessed["relative to the folder that the command was started in"] += 1


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _other_spellings(names: Sequence[str]) -> list[str]:
    """Spell names with `/`, without the `%20` of addresses, in other forms of their letters.

    Systems differ in whether `é` is one letter or two, and in the case of `.JPG`.
    """
    slashed = [*names, *(name.replace("\\", "/") for name in names)]
    plain = [*slashed, *map(unquote, slashed)]
    composed = [*plain, *(unicodedata.normalize(form, n) for form in ("NFC", "NFD") for n in plain)]
    endings = [f"{stem}{ending}" for name in composed for stem, ending in _other_endings(name)]
    spelt = dict.fromkeys([*composed, *endings])
    return [name for name in spelt if name and name not in names]


def _other_endings(name: str) -> list[tuple[str, str]]:
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name that need not be a path here)
    if ending.lower() not in SUFFIXES:
        return []
    return [(stem, ending.lower()), (stem, ending.upper())]


def find_images(
    file: Path, cells: Iterable[str], images: str | None, ext: str | None
) -> ImagePaths:
    """Find the folder and the ending of the images that a file's cells name.

    Where neither is given and none of the first cells names a file, folders beside the file are
    tried with all endings: `train.csv` with `7` means `train/7.png`. All cells are looked at where
    a folder is given, since it may hold what absolute paths from another machine mean.

    Raises:
        DatasetError: There is no such folder, or several hold files of these names.
    """
    root = file.parent
    folder = _folder(root, images)
    extension = f".{ext.removeprefix('.')}" if ext else ""
    written = [cell.strip() for cell in (cells if folder else islice(cells, SAMPLE_CELLS))]
    tried = ImagePaths(root, folder, extension)
    moved = MovedPaths()
    if folder is not None:
        away = dict.fromkeys(cell for cell in written if is_elsewhere(cell))
        lost = (cell for cell in away if tried.find(cell)[1] is not None)
        moved = find_moved(lost, folder, extension)
    given = ImagePaths(root, folder, extension, moved=moved)
    named = [cell for cell in written[:SAMPLE_CELLS] if cell]
    if not named or any(given.find(cell)[1] is None for cell in named):
        return ImagePaths(root, folder, extension, moved=moved)  # anew: `given` has counted these
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
    children = _folders_in(root)
    return children + [inner for child in children for inner in _folders_in(child)]


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if _may_hold_images(entry))
    return [folder / name for name in names]


def _may_hold_images(entry: os.DirEntry[str]) -> bool:
    try:
        is_folder = entry.is_dir()
    except OSError:  # links in a circle
        return False
    return not entry.name.startswith(".") and is_folder and os.access(entry.path, os.R_OK)
