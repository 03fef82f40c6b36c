"""Which columns of a table hold the images, the labels and the splits."""

import re
from collections.abc import Mapping, Sequence

from trainables.datasets.errors import DatasetError, name_first
from trainables.datasets.own_data.split_names import split_meant

IMAGE_COLUMNS = (
    *("image", "image_path", "path", "filepath", "file", "filename", "file_name", "img"),
    *("filepaths", "file_path", "img_path", "image_file", "image_name", "imagename", "images"),
    *("image_id", "img_id", "id_code", "pixels", "id"),
)
LABEL_COLUMNS = (
    *("label", "labels", "class", "class_name", "target", "category", "y"),
    *("classes", "label_name", "breed", "species", "diagnosis", "dx", "emotion"),
    *("class_id", "class id", "label_id", "category_id"),
)
SPLIT_COLUMNS = ("split",)
PIXEL_COLUMN = re.compile(r"(pixel|pix|px|p)?[ _-]?\d+(x\d+)?", re.IGNORECASE)


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
        f"{file}: {sought} among {name_first(list(map(repr, names))) or 'none'}. "
        f"Name it in --dataset, as ...{file}?{option}=NAME.{hint}"
    )


def choice_note(
    option: str, names: Sequence[str], usual: Sequence[str], asked: str | None, taken: int
) -> list[str]:
    """Say which column was taken, where others have a usual name too."""
    others = [
        name
        for place, name in enumerate(names)
        if place != taken and name.strip().lower() in usual and name.strip().lower() != "id"
    ]
    if asked is not None or not others:
        return []
    return [
        f"column {names[taken]!r} is the {option}, not {', '.join(map(repr, others))}; "
        f"?{option}=NAME takes another"
    ]


def choose_split(
    file: str, names: Sequence[str], values: Mapping[int, set[str]], asked: str | None
) -> tuple[int | None, list[str]]:
    """Find the column of the splits, by its name or by what all its cells say, and a note.

    `values` has the distinct cells of the columns that may be it.
    """
    if asked is not None:
        return require_column(file, "split", names, SPLIT_COLUMNS, asked), []
    by_name = find_column(names, SPLIT_COLUMNS)
    meant = {place: [split_meant(cell) for cell in cells] for place, cells in values.items()}
    found = [place for place, splits in meant.items() if splits and None not in splits]
    taken = by_name if by_name is not None else next(iter(found), None)
    notes = []
    if taken is not None and taken != by_name:
        cells = ", ".join(sorted(values[taken]))
        notes.append(f"column {names[taken]!r} gives the splits ({cells})")
    for place, splits in meant.items():
        if place != taken and any(split is not None for split in splits):
            notes.append(
                f"column {names[place]!r} holds words for splits, but is not used; "
                f"?split={names[place]} takes it"
            )
    return taken, notes


def pixel_columns(names: Sequence[str], label: int | None) -> tuple[int, ...]:
    """Find the columns of a pixel each: `pixel0`, `1x1`, or numbers beside a label.

    There are none beside a column of paths: numbers are then classes.
    """
    paths = [name for name in IMAGE_COLUMNS if name not in ("id", "pixels")]
    if find_column(names, paths) is not None:
        return ()
    return tuple(
        place
        for place, name in enumerate(names)
        if place != label and PIXEL_COLUMN.fullmatch(name.strip())
    )


def one_hot_columns(values: Mapping[int, set[str]]) -> tuple[int, ...]:
    """Find the columns of a class each, whose cells are 0 or 1."""
    zero_or_one = {"0", "1", "0.0", "1.0"}
    places = tuple(place for place, cells in values.items() if cells and cells <= zero_or_one)
    return places if len(places) > 1 else ()
