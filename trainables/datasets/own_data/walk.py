"""The files below a folder, through links, without what systems and runs leave there."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

IGNORED = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # and all that begins with a dot
OWN_FOLDERS = frozenset(("decoded", "duplicates", "features", "overview"))
"""What a run keeps in its folder of data; see `--data-dir`."""

MAX_FOLDERS_DEEP = 32


class Entry(NamedTuple):
    """Describes a file by its path relative to the folder that was walked.

    Attributes:
        relative: The path, with `/`.
        is_plain: Whether it is a file and no link.
        problem: What keeps a folder, which stands here for what is in it, from being entered.
    """

    relative: str
    is_plain: bool
    problem: str | None = None


def walk(root: Path, data_dir: Path | None) -> Iterator[Entry]:
    """Yield what is in a resolved folder and those below it; links to folders are entered.

    A link to a folder that holds the link itself is yielded with that problem.
    """
    for child in _scan(root):
        if not _is_of_a_run(Path(child.path), root, data_dir):
            yield from _walk_entry(child, "", (root, *root.parents))


def folders(folder: Path, data_dir: Path) -> list[Path]:
    """List the folders in a folder, and links to some, sorted; not those of a run."""
    children = (Path(child.path) for child in _scan(folder) if _is_folder(child))
    return [child for child in children if not _is_of_a_run(child, folder, data_dir)]


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files directly in a folder."""
    return (Path(child.path) for child in _scan(folder) if not _is_folder(child))


def _walk_entry(entry: os.DirEntry[str], prefix: str, above: tuple[Path, ...]) -> Iterator[Entry]:
    relative = prefix + entry.name
    if not _is_folder(entry):
        yield Entry(relative, entry.is_file(follow_symlinks=False))
        return
    folder = Path(entry.path).resolve() if entry.is_symlink() else above[0] / entry.name
    if folder in above:
        yield Entry(relative, False, f"a link to {folder}, which holds it: remove the link")
    elif relative.count("/") >= MAX_FOLDERS_DEEP:
        yield Entry(relative, False, f"more than {MAX_FOLDERS_DEEP} folders deep")
    else:
        for child in _scan(Path(entry.path)):
            yield from _walk_entry(child, f"{relative}/", (folder, *above))


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted(
            (entry for entry in found if not _ignored(entry.name)), key=lambda entry: entry.name
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle: the file's problem says so
        return False


def _is_of_a_run(child: Path, parent: Path, data_dir: Path | None) -> bool:
    """Tell whether a folder holds runs (`runs/JOB/ID/lease`), or what they decoded."""
    if parent == data_dir and child.name in OWN_FOLDERS:
        return True
    if child == data_dir and (child / "decoded").is_dir():
        return True
    runs = child if child.name == "runs" else child / "runs"
    try:
        return any(runs.glob("*/*/lease"))
    except PermissionError:  # reading the folder itself says so, and names it
        return False


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in IGNORED
