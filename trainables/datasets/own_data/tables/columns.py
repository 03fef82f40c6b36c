"""Which columns of a table hold the images, the labels and the splits."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trainables.config.validation import nearest
from trainables.datasets.errors import DatasetError
from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.own_data.tables.split_flags import SplitFlags, find_flags, may_be_flag

IMAGE_COLUMNS = (
    *("image", "image_path", "path", "filepath", "file", "filename", "file_name", "img"),
    *("filepaths", "file_path", "img_path", "image_file", "image_name", "imagename", "images"),
    *("fname", "image_id", "imageid", "img_id", "id_code", "pixels", "name", "id"),
)
LABEL_COLUMNS = (
    *("label", "labels", "class", "class_name", "target", "category", "y"),
    *("classes", "label_name", "breed", "species", "diagnosis", "dx", "emotion"),
    *("class_id", "class id", "label_id", "category_id"),
)
SPLIT_COLUMNS = ("split",)
GROUP_COLUMNS = (
    *("patient", "patient_id", "patientid", "subject", "subject_id", "lesion_id", "group"),
    *("group_id", "studyinstanceuid", "case_id"),
)
"""The columns that usually name what several images belong to; none is used unless it is named."""
ID_COLUMNS = ("id", "image_id", "imageid", "file_name", "filename", "name")
"""The columns that may name images which are no files of their own."""

OPTIONS = {
    **dict.fromkeys(("image", "label", "split", "group"), "NAME"),
    **{"images": "FOLDER", "ext": "ENDING"},
}
"""The options of a table, each with the placeholder of its value: the fields of `Asked`."""

MAX_DISTINCT = 50
"""A column of more values says no split."""

MAX_NAMED = 40
PIXEL_COLUMN = re.compile(r"(pixel|pix|px|p)?[ _-]?(\d+)(?:[x_,-](\d+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Holds what the user said: names of columns, the folder of images and their ending."""

    image: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None
    images: str | None = None
    ext: str | None = None


def find_column(names: Sequence[str], usual: Sequence[str], asked: str | None = None) -> int | None:
    """Find the place of the column asked for, or of the first usual one, in any case."""
    exact = [name.strip() for name in names]
    if asked is not None and asked.strip() in exact:
        return exact.index(asked.strip())
    present = [name.lower() for name in exact]
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
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    present = f"{', '.join(map(repr, names[:MAX_NAMED])) or 'none'}{more}"
    hint = " A file without labels is for prediction only." if option == "label" else ""
    raise DatasetError(
        f"{file}: {sought} among {present}{nearest(asked or '', list(names))}. "
        f"Name it behind the path, as ...{file}?{option}=NAME.{hint}"
    )


def check_unique(file: str, names: Sequence[str], places: Iterable[int | None]) -> None:
    """Raise `DatasetError` where a column that is read has the name of another one."""
    exact = [name.strip() for name in names]
    for place in places:
        if place is not None and exact.count(exact[place]) > 1:
            raise DatasetError(
                f"{file}: {exact.count(exact[place])} columns are called {exact[place]!r}: rename "
                "all but one, or remove them"
            )


def find_group(file: str, names: Sequence[str], asked: str | None) -> int | None:
    """Find the place of the column of groups; raises `DatasetError` where it is not there."""
    return None if asked is None else require_column(file, "group", names, (), asked)


def group_note(names: Sequence[str], taken: Iterable[int | None]) -> list[str]:
    """Propose a column that may say which images belong together, where none was named."""
    found = find_column(names, GROUP_COLUMNS)
    if found is None or found in taken:
        return []
    return [
        f"column {names[found]!r} may say which images belong together, but is not used; "
        f"?group={names[found].strip()} keeps them in one split"
    ]


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
) -> tuple[int | SplitFlags | None, list[str]]:
    """Find the column of the splits, by its name or by what all its cells say, and a note.

    Where none holds words for splits, columns of true and false are looked for. `values` has the
    distinct cells of the columns that may be it.
    """
    flags = find_flags(names, values)
    if flags is not None:
        _check_flags(file, flags, values)
    if asked is not None:
        place = require_column(file, "split", names, SPLIT_COLUMNS, asked)
        if flags is None or place not in flags.splits:
            return place, []
        alone = find_flags(names, {place: values[place]})
        return alone, [alone.note()] if alone else []
    by_name = find_column(names, SPLIT_COLUMNS)
    meant = {place: [split_meant(cell) for cell in cells] for place, cells in values.items()}
    found = [place for place, splits in meant.items() if splits and None not in splits]
    taken = by_name if by_name is not None else next(iter(found), None)
    notes = []
    if taken is not None and taken != by_name:
        cells = ", ".join(sorted(values[taken]))
        notes.append(f"column {names[taken]!r} gives the splits ({cells})")
    elif taken is None and flags is not None:
        notes.append(flags.note())
    used = flags.splits if taken is None and flags is not None else {taken}
    unused = [place for place in sorted(values) if place not in used]
    notes += [note for place in unused if (note := _unused_note(names[place], values[place]))]
    return flags if taken is None else taken, notes


def _check_flags(file: str, flags: SplitFlags, values: Mapping[int, set[str]]) -> None:
    for place, name in flags.names.items():
        if flags.is_never_train(place, values[place]):
            raise DatasetError(
                f"{file}: column {name!r} is true in all rows, so that none is left to train on: "
                "correct it, or remove it"
            )


def _unused_note(name: str, cells: set[str]) -> str | None:
    """Say that a column which may be meant for the splits is not used, and what would change it."""
    if any(split_meant(cell) is not None for cell in cells):
        return f"column {name!r} holds words for splits, but is not used; ?split={name} takes it"
    if not may_be_flag(name):
        return None
    if find_flags([name], {0: cells}) is not None:
        return f"column {name!r} says the split too, but is not used; ?split={name} takes it"
    return (
        f"column {name!r} has a name for a split, but is not used: it must hold both true and "
        "false, and nothing else"
    )


def pixel_columns(names: Sequence[str], label: int | None) -> tuple[int, ...]:
    """Find the columns of a pixel each, in the order of their numbers: `pixel0`, `1x1`, `17`.

    Beside a column of paths, numbers alone are no pixels: they are classes.
    """
    paths = [name for name in IMAGE_COLUMNS if name not in ("id", "name", "pixels")]
    is_beside_paths = find_column(names, paths) is not None
    by_word: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    for place, name in enumerate(names):
        match = PIXEL_COLUMN.fullmatch(name.strip())
        if place != label and match and (len(match[1] or "") > 1 or not is_beside_paths):
            by_word[(match[1] or "").lower()][place] = int(match[2]), int(match[3] or 0)
    numbers = max(by_word.values(), key=len, default={})
    return tuple(sorted(numbers, key=lambda place: numbers[place]))


def one_hot_columns(values: Mapping[int, set[str]]) -> tuple[int, ...]:
    """Find the columns of a class each, whose cells are 0 or 1."""
    zero_or_one = {"0", "1", "0.0", "1.0"}
    places = tuple(place for place, cells in values.items() if cells and cells <= zero_or_one)
    return places if len(places) > 1 else ()
