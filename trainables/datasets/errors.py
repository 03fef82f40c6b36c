"""What is wrong with the data, all at once; lists too long to print, folded; counts in words."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from trainables.storage import LocalStorage

MAX_LISTED = 10

OVERVIEW = "overview"
"""The folder within `--data-dir` that holds, whole, the lists of which only a part is printed."""


class DatasetError(ValueError):
    """Says why the data asked for cannot be used as it is, and what to do."""


def refuse(source: str, problems: Sequence[str], lists: Path) -> DatasetError:
    """Make the error for data with `problems`, each a line "file[:line or row]: what is wrong".

    Args:
        source: The text of `--dataset`.
        lists: The folder that takes the whole list where it is long.
    """
    lines = [f"the data of --dataset {source!r} has {counted(len(problems), 'problem')}:"]
    lines += [f"  {line}" for line in fold(problems, lists)]
    lines.append(
        "Correct or remove what is listed, then start again: no image is skipped silently."
    )
    return DatasetError("\n".join(lines))


def fold(lines: Sequence[str], lists: Path) -> list[str]:
    """Keep the first ten lines; the last one then names the file in `lists` that has them all."""
    if len(lines) <= MAX_LISTED:
        return list(lines)
    more = f"... and {len(lines) - MAX_LISTED:,} more (all in {write_list(lines, lists)})"
    return [*lines[:MAX_LISTED], more]


def name_first(names: Sequence[str], *, total: int | None = None, whole: str | None = None) -> str:
    """Join the first ten names and count the others: `a, b, ... and 7 more (all in FILE)`.

    Args:
        names: All of them, or at least the first ten.
        total: How many there are, where `names` are not all.
        whole: The file that has them all.
    """
    shown = names[:MAX_LISTED]
    num_more = (len(names) if total is None else total) - len(shown)
    if not num_more:
        return ", ".join(shown)
    file = f" (all in {whole})" if whole else ""
    return f"{', '.join(shown)}, ... and {num_more:,} more{file}"


def write_list(lines: Sequence[str], lists: Path) -> str:
    """Write lines into a file of the folder `lists` and return its absolute path.

    It is named by its content: the same list is the same file, however often it is told.
    """
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    name = f"list-{hashlib.sha256(content).hexdigest()[:12]}.txt"
    LocalStorage(lists).write(name, content)
    return str((lists / name).absolute())


def write_long_list(lines: Sequence[str], lists: Path) -> str | None:
    """Write lines that are more than are printed, and return the path; `None` for a short list."""
    return write_list(lines, lists) if len(lines) > MAX_LISTED else None


def counted(number: int, one: str, several: str | None = None) -> str:
    """Write a number and what it counts: `1 image is`, `2,000 images are`; else an `s` is added."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
