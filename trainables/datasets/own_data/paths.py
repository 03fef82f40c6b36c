"""Paths that data files and folders name, and where they lead."""

import os
from collections.abc import Iterable
from pathlib import Path


def path_problem(root: Path, relative: str) -> str | None:
    """Say why `relative` names no file below the (resolved) root; `None` where it does.

    Links are followed: they were made by whoever made the folder, a path in a file may come from
    anywhere.
    """
    if leaves(relative):
        return "a path that leaves the folder"
    path = root / relative
    try:
        if path.is_dir():
            return "a folder where a file is expected"
        return None if path.is_file() else "missing file"
    except (OSError, RuntimeError, ValueError):  # a name too long, links in a circle, a NUL
        return "missing file"


def leaves(relative: str) -> bool:
    """Tell whether a path leaves its folder by its text alone; links are not looked at."""
    return relative.startswith("/") or ".." in relative.split("/")


def links_out(root: Path, paths: Iterable[Path]) -> list[str]:
    """Note how many files of a (resolved) root are elsewhere, behind links."""
    prefix = f"{root}{os.sep}"
    real = ((path, os.path.realpath(path)) for path in paths)
    outside = [(path, target) for path, target in real if not target.startswith(prefix)]
    if not outside:
        return []
    path, target = outside[0]
    count = f"{len(outside):,} images are links to other folders"
    return [f"{count}, such as {path.relative_to(root)} to {target}"]
