"""Absolute paths from another machine, found again by their ends below a folder that is given."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from trainables.datasets.errors import counted
from trainables.datasets.own_data.split_names import split_named
from trainables.datasets.own_data.walk import walk
from trainables.datasets.source import Split

ELSEWHERE = re.compile(r"[A-Za-z]:[\\/]|[\\/~]|\.\.[\\/]|[A-Za-z][A-Za-z0-9+.-]+:[\\/]+")
Parts = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedPaths:
    """Says which files such cells mean.

    Attributes:
        files: The absolute path of the file, by cell.
        problems: Why there is none, by cell.
        notes: What was done, with an example.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Match:
    """Holds the file of a cell, and what of the cell's path stands before their common end.

    `length` is that of the common end, in parts; the name itself is one, whatever its ending.
    """

    file: Parts
    before: Parts
    length: int

    @property
    def base(self) -> Parts:
        """Give the folder that stands for `before` here."""
        return self.file[: -self.length]


def is_elsewhere(cell: str) -> bool:
    """Tell whether a path begins outside of any folder: `C:\\`, `/`, `~`, `../`, `file://`."""
    return ELSEWHERE.match(cell) is not None


def find_moved(cells: Iterable[str], folder: Path, extension: str) -> MovedPaths:
    """Find the file below a (resolved) folder that has the longest end in common with each cell.

    No cell has one where two files are equally like it, where another cell has the same one, or
    where the folder that it would be in by the others holds none: `cat/1.png` is not `dog/1.png`.
    """
    wanted = {cell: _parts(cell) for cell in cells if is_elsewhere(cell)}
    if not wanted:
        return MovedPaths()
    names = {cell: _names(parts[-1], extension) for cell, parts in wanted.items() if parts}
    files = _files_called({name for found in names.values() for name in found}, folder)
    matches: dict[str, _Match] = {}
    problems: dict[str, str] = {}
    for cell, parts in wanted.items():
        candidates = [file for name in names.get(cell, ()) for file in files.get(name, ())]
        match _longest(parts, candidates):
            case _Match() as found:
                matches[cell] = found
            case str() as problem:
                problems[cell] = problem.format(folder=folder)
    refused = _same_file(matches, wanted) | _contradictions(matches)
    found_files = {c: str(Path(*m.file)) for c, m in matches.items() if c not in refused}
    return MovedPaths(
        files=found_files, problems=problems | refused, notes=_notes(found_files, folder)
    )


def _parts(cell: str) -> Parts:
    path = posixpath.normpath(cell.replace("\\", "/"))
    return tuple(part for part in path.split("/") if part not in ("", "..", "."))


def _names(last: str, extension: str) -> list[str]:
    """List what the file of a cell may be called; `%20` stands for a space in an address."""
    names = [f"{last}{extension}", last]
    names += [unquote(name) for name in names]
    return list(dict.fromkeys(names))


def _files_called(names: set[str], folder: Path) -> dict[str, list[Parts]]:
    """Collect the absolute paths of the files below a folder that have one of these names."""
    files: dict[str, list[Parts]] = defaultdict(list)
    for entry in walk(folder, folder.parent):
        parts = tuple(entry.relative.split("/"))
        if entry.problem is None and parts[-1] in names:
            files[parts[-1]].append(folder.parts + parts)
    return files


def _longest(parts: Parts, candidates: Sequence[Parts]) -> _Match | str:
    lengths = [_common_end(parts[:-1], file[:-1]) for file in candidates]
    best = [file for file, n in zip(candidates, lengths, strict=True) if n == max(lengths)]
    if len(best) > 1:
        one, other = (Path(*file) for file in best[:2])
        return f"may be {one} or {other}: name the folder that holds it alone, as ?images=FOLDER"
    if not best:
        return "missing file: none below {folder} has this name"
    found = _Match(best[0], parts[: len(parts) - 1 - max(lengths)], 1 + max(lengths))
    there, here = _split_of(found.before), _split_of(best[0][:-1])
    if there is not None and here not in (None, there):
        return f"a path of {there.name.lower()}, but {Path(*best[0])} is of another split"
    return found


def _split_of(folders: Parts) -> Split | None:
    """Find the split that the last folder of such a name stands for."""
    found = (split_named(name) for name in reversed(folders))
    return next((split for split in found if split is not None), None)


def _common_end(one: Parts, other: Parts) -> int:
    length = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        length += 1
    return length


def _same_file(matches: Mapping[str, _Match], wanted: Mapping[str, Parts]) -> dict[str, str]:
    """Refuse different paths that would be one file."""
    counts = Counter(file for file, _ in {(m.file, wanted[c]) for c, m in matches.items()})
    return {
        cell: f"would be {Path(*found.file)}, as another path would: it can be but one"
        for cell, found in matches.items()
        if counts[found.file] > 1
    }


def _contradictions(matches: Mapping[str, _Match]) -> dict[str, str]:
    """Refuse a path that is found elsewhere than where others of a folder above it are found."""
    bases: dict[Parts, set[Parts]] = defaultdict(set)
    for found in matches.values():
        bases[found.before].add(found.base)

    def others(found: _Match) -> Iterator[Parts]:
        for length in range(len(found.before)):
            for base in bases.get(found.before[:length], ()):
                if base != found.base or found.length == 1:
                    yield base + found.before[length:]

    places = {cell: next(others(found), None) for cell, found in matches.items()}
    return {
        cell: f"missing file: by the other paths it would be below {Path(*place)}"
        for cell, place in places.items()
        if place is not None
    }


def _notes(files: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    if not files:
        return ()
    cell, file = next(iter(files.items()))
    count = counted(len(files), "path from elsewhere is", "paths from elsewhere are")
    return (f"{count} looked up by the longest end that is below {folder}: {cell} is {file}",)
