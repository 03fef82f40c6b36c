"""Which columns of a table hold the images, the labels and the splits."""

from collections.abc import Sequence

from trainables.datasets.errors import DatasetError

IMAGE_COLUMNS = ("image", "image_path", "path", "filepath", "file", "filename", "file_name", "img")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "target", "category", "y")
SPLIT_COLUMNS = ("split",)


def find_column(names: Sequence[str], usual: Sequence[str], asked: str | None = None) -> int | None:
    """Find the place of the column asked for, or of the first usual one, in any case."""
    present = [name.strip().lower() for name in names]
    wanted = usual if asked is None else [asked.strip().lower()]
    return next((present.index(name) for name in wanted if name in present), None)


def require_column(
    file: str, option: str, names: Sequence[str], usual: Sequence[str], asked: str | None
) -> int:
    """Find the place of a column; raises `DatasetError` with the option that would name it."""
    place = find_column(names, usual, asked)
    if place is not None:
        return place
    sought = f"no column {asked!r}" if asked else f"no {option} column ({', '.join(usual)})"
    hint = " A file without labels is for prediction only." if option == "label" else ""
    raise DatasetError(
        f"{file}: {sought} among {', '.join(map(repr, names)) or 'none'}. "
        f"Name it in --dataset, as ...{file}?{option}=NAME.{hint}"
    )
