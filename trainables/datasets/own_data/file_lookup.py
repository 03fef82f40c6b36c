"""Many files looked up at the cost of few calls to the system: folders are listed once."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from trainables.datasets.errors import counted

FEW = 8
"""Files asked for in a folder before it is listed: one file need not cost a list of millions."""


@dataclass(frozen=True, slots=True)
class FileLookup:
    """Answers for files by their absolute paths, out of lists that are made when first needed.

    A list only ever says that a file is there and no link. For all else the system is asked anew.
    """

    _asked: Counter[str] = field(default_factory=Counter)
    _plain: dict[str, frozenset[str]] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)

    def problem(self, path: str) -> str | None:
        """Say why there is no file at a path; `None` where there is one."""
        return None if self._is_plain(path) else path_problem(path)

    def real_path(self, path: str) -> str:
        """Follow the links in a path, as `os.path.realpath` does."""
        if not self._is_plain(path):
            return os.path.realpath(path)
        folder, _, name = path.rpartition(os.sep)
        real = self._real.get(folder)
        if real is None:
            real = self._real[folder] = os.path.realpath(folder or os.sep).rstrip(os.sep)
        return f"{real}{os.sep}{name}"

    def links_out(self, root: Path, paths: Iterable[str]) -> list[str]:
        """Note how many files below a (resolved) root are elsewhere, behind links."""
        prefix = f"{str(root).rstrip(os.sep)}{os.sep}"
        real = ((path, self.real_path(path)) for path in paths if path.startswith(prefix))
        outside = [(path, target) for path, target in real if not target.startswith(prefix)]
        if not outside:
            return []
        path, target = outside[0]
        one, several = "image is a link to another folder", "images are links to other folders"
        count = counted(len(outside), one, several)
        return [f"{count}, such as {path.removeprefix(prefix)} to {target}"]

    def _is_plain(self, path: str) -> bool:
        folder, _, name = path.rpartition(os.sep)
        names = self._plain.get(folder)
        if names is None:
            self._asked[folder] += 1
            if self._asked[folder] <= FEW:
                return False
            names = self._plain[folder] = _plain_files(folder or os.sep)
        return name in names


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


def _plain_files(folder: str) -> frozenset[str]:
    """List the files in a folder that are no links; none where it cannot be listed."""
    try:
        with os.scandir(folder) as found:
            return frozenset(entry.name for entry in found if entry.is_file(follow_symlinks=False))
    except (OSError, ValueError):  # each file that is asked for says what is wrong
        return frozenset()
