"""What labels mean: which spellings are one class, and what about them deserves a word."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from trainables.datasets.errors import counted
from trainables.datasets.source import Split

Row = TypeVar("Row")

HIDDEN = "-1"
"""The label that test rows have where a contest keeps the true ones."""

NOTHING = frozenset(("none", "null", "na", "n/a"))
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
WHOLE = re.compile(r"-?\d+\.0*")


def spell(label: str) -> str:
    """Write a label in one way: composed letters, one space between words, none around."""
    return unicodedata.normalize("NFC", " ".join(label.split()))


def ordered_class_names(names: Iterable[str]) -> tuple[str, ...]:
    """Sort the names, each once: as numbers where all are numbers, else by the alphabet."""
    distinct = set(names)
    if all(name.isdecimal() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def unknown_class(name: str) -> str:
    """Say that an image of validation or test is of a class that train lacks."""
    return f"class {name!r} is not one that the images to train on have"


def join_spellings(written: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Map each label as it is written to the name of its class; the notes say what was joined.

    Numbers that pandas made floating-point (`1.0`) are whole again where all are. Beside numbers
    alone, words for nothing (`None`, `NA`) are no label.
    """
    distinct = list(dict.fromkeys(written))
    spelling = {label: spell(label) for label in distinct}
    names = {name for name in spelling.values() if name}
    words = {name for name in names if name.lower() in NOTHING}
    if words and all(NUMBER.fullmatch(name) for name in names - words):
        spelling = {label: "" if name in words else name for label, name in spelling.items()}
        names -= words
    notes = joined_notes(distinct)
    if any("." in name for name in names) and all(
        WHOLE.fullmatch(name) or re.fullmatch(r"-?\d+", name) for name in names
    ):
        spelling = {label: name.partition(".")[0] for label, name in spelling.items()}
        example = next(name for name in sorted(names) if "." in name)
        notes.append(f"labels such as {example} are read as whole numbers")
    return spelling, notes


def drop_hidden(
    rows: Sequence[Row], look: Callable[[Row], tuple[str, Split | None]]
) -> tuple[list[Row], list[str]]:
    """Drop the rows of test where none of them has a label, or each has -1, and note it.

    `look` gives the label and the split of a row.
    """
    looked = [look(row) for row in rows]
    tested = {spell(label) for label in {label for label, s in looked if s is Split.TEST}}
    trained = {spell(label) for label in {label for label, s in looked if s is Split.TRAIN}}
    if not tested or not tested <= {"", HIDDEN, f"{HIDDEN}.0"} or not trained.isdisjoint(tested):
        return list(rows), []
    kept = [row for row, (_, split) in zip(rows, looked, strict=True) if split is not Split.TEST]
    count = len(rows) - len(kept)
    return kept, [
        counted(
            count,
            "test image has no label and is left out",
            "test images have no labels and are left out",
        )
    ]


def label_notes(class_names: Collection[str]) -> list[str]:
    """Say what about the names of classes looks like a mistake: case, several in one."""
    return [
        *_differ_in_case(class_names),
        *_equal_numbers(class_names),
        *_combinations(class_names),
    ]


def joined_notes(written: Iterable[str]) -> list[str]:
    """Name the labels of one class that are written in several ways."""
    by_name = defaultdict(list)
    for label in dict.fromkeys(written):
        by_name[spell(label)].append(label)
    return [
        f"labels written in {len(labels)} ways are one class, {name!r}: "
        f"{', '.join(map(ascii, labels))}"
        for name, labels in by_name.items()
        if len(labels) > 1 and name
    ]


def _differ_in_case(class_names: Collection[str]) -> list[str]:
    by_folded = defaultdict(list)
    for name in class_names:
        by_folded[name.casefold()].append(name)
    return [
        f"classes differ in case alone, and are kept apart: {', '.join(map(repr, names))}"
        for names in by_folded.values()
        if len(names) > 1
    ]


def _equal_numbers(class_names: Collection[str]) -> list[str]:
    by_number = defaultdict(list)
    for name in class_names:
        if name.isdecimal():
            by_number[int(name)].append(name)
    return [
        f"classes are one number, and are kept apart: {', '.join(map(repr, names))}"
        for names in by_number.values()
        if len(names) > 1
    ]


def _combinations(class_names: Collection[str]) -> list[str]:
    """Note labels that are several: each part is a class, or a part of another label too."""
    for separator in "|;, ":
        parts = {
            name: [part.strip() for part in name.split(separator) if part.strip()]
            for name in class_names
        }
        counts = Counter(part for found in parts.values() for part in set(found))
        known = set(class_names) if separator == " " else {p for p, n in counts.items() if n > 1}
        several = [
            name for name, found in parts.items() if len(found) > 1 and known.issuperset(found)
        ]
        if several:
            examples = ", ".join(map(repr, islice(several, 3)))
            one, more = "class is a combination", "classes are combinations"
            return [
                f"{counted(len(several), one, more)} of others, such as {examples}: each "
                "is a class of its own, since an image has one label"
            ]
    return []
