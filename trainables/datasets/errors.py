"""The one error of this package: what is wrong with the data, all of it at once."""

from collections.abc import Sequence

MAX_LISTED = 50


class DatasetError(ValueError):
    """Says why the data asked for cannot be used as it is, and what to do."""


def refuse(source: str, problems: Sequence[str]) -> DatasetError:
    """Make the error for data with `problems`, each a line "file[:line or row]: what is wrong"."""
    count = f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}"
    lines = [f"the data of --dataset {source!r} has {count}:"]
    lines += [f"  {problem}" for problem in problems[:MAX_LISTED]]
    if len(problems) > MAX_LISTED:
        lines.append(f"  ... and {len(problems) - MAX_LISTED:,} more")
    lines.append(
        "Correct or remove what is listed, then start again: no image is skipped silently."
    )
    return DatasetError("\n".join(lines))
