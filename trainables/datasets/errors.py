"""The one error of this package: what is wrong, all of it at once; and how counts are written."""

from collections.abc import Sequence

MAX_LISTED = 50


class DatasetError(ValueError):
    """Says why the data asked for cannot be used as it is, and what to do."""


def refuse(source: str, problems: Sequence[str]) -> DatasetError:
    """Make the error for data with `problems`, each a line "file[:line or row]: what is wrong"."""
    lines = [f"the data of --dataset {source!r} has {counted(len(problems), 'problem')}:"]
    lines += [f"  {problem}" for problem in problems[:MAX_LISTED]]
    if len(problems) > MAX_LISTED:
        lines.append(f"  ... and {len(problems) - MAX_LISTED:,} more")
    lines.append(
        "Correct or remove what is listed, then start again: no image is skipped silently."
    )
    return DatasetError("\n".join(lines))


def counted(number: int, one: str, several: str | None = None) -> str:
    """Write a number and what it counts: `1 image is`, `2,000 images are`; else an `s` is added."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
