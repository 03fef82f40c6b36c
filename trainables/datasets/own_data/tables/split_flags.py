"""Columns of true and false that say which split a row is of: `is_valid`, `is_test`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainables.datasets.own_data.split_names import split_meant
from trainables.datasets.source import Split

TRUTHS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "y", "t"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "n", "f"), False),
}
EMPTY = frozenset(("", "nan", "none", "null", "<na>"))
AROUND = frozenset(
    ("is", "in", "for", "flag", "mask", "set", "split", "subset", "data", "image", "sample", "row")
)
"""Words that stand beside that of the split: `is_training_image`, `test_mask`, `in_val_set`."""

WORDS = {Split.TRAIN: "train", Split.VALIDATION: "val", Split.TEST: "test"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFlags:
    """Reads the split of a row from columns that are true for those of one split.

    Attributes:
        splits: The split that each column is true for, by its place.
        names: The names of the columns, by place.
    """

    splits: Mapping[int, Split]
    names: Mapping[int, str]

    def read(self, cells: Sequence[str] | Mapping[int, str]) -> tuple[str, str | None]:
        """Return the word for a row's split, or what is wrong with the row; cells are by place."""
        true: dict[int, Split] = {}
        for place, split in self.splits.items():
            is_short = not isinstance(cells, Mapping) and place >= len(cells)
            cell = "" if is_short else cells[place].strip()
            truth = TRUTHS.get(cell.lower())
            if truth is None:
                return "", f"{self.names[place]} is {cell!r}, but must be true or false"
            if truth:
                true[place] = split
        found = set(true.values())
        against = [p for p, split in self.splits.items() if split in found and p not in true]
        if len(found) > 1 or against:
            return "", self._contradiction([*true, *against], len(true))
        of_row = next(iter(found), self.otherwise)
        if of_row is None:
            return "", f"none of {', '.join(self.names.values())} is true, but one must be"
        return WORDS[of_row], None

    @property
    def otherwise(self) -> Split | None:
        """Give the split of rows for which no column is true; `None` where all have a column.

        Rows that are not of train are of test, unless a column tells those of test.
        """
        given = set(self.splits.values())
        return next(
            (s for s in (Split.TRAIN, Split.TEST, Split.VALIDATION) if s not in given), None
        )

    def is_never_train(self, place: int, cells: set[str]) -> bool:
        """Tell whether a column of another split than train is true wherever it says something."""
        truths = {TRUTHS.get(cell.lower()) for cell in cells}
        return self.splits[place] is not Split.TRAIN and truths == {True}

    def note(self) -> str:
        """Say which columns are taken, and what they mean."""
        meanings = (
            f"column {self.names[place]!r} (true: {split.name.lower()})"
            for place, split in self.splits.items()
        )
        rest = "" if self.otherwise is None else f"; other rows are {self.otherwise.name.lower()}"
        return f"{' and '.join(meanings)} {_give(len(self.splits))} the splits{rest}"

    def _contradiction(self, places: Sequence[int], num_true: int) -> str:
        said = [
            f"{self.names[place]} is {'true' if number < num_true else 'false'}"
            for number, place in enumerate(places)
        ]
        return f"{' and '.join(said)}, which is a contradiction: a row is of one split"


def find_flags(names: Sequence[str], values: Mapping[int, set[str]]) -> SplitFlags | None:
    """Find the columns by their names, whose cells must be true or false.

    A name of one word (`valid`) counts where all cells are so, and both occur; where more is said
    (`is_valid`), a cell of another kind is a mistake, which is told.
    """
    splits = {}
    for place, cells in values.items():
        split, is_explicit = _flag_named(names[place])
        truths = {TRUTHS.get(cell.lower()) for cell in cells if cell.lower() not in EMPTY}
        is_flag = (
            truths >= {True, False} if not is_explicit else not truths.isdisjoint((True, False))
        )
        if split is not None and is_flag and (is_explicit or None not in truths):
            splits[place] = split
    if not splits:
        return None
    return SplitFlags(splits=splits, names={place: names[place].strip() for place in splits})


def may_be_flag(name: str) -> bool:
    """Tell whether a column may be one of these by its name."""
    return _flag_named(name)[0] is not None


def is_bare(name: str) -> bool:
    """Tell whether a column's name is the word for a split alone, which may also be a class's."""
    return not _flag_named(name)[1]


def _flag_named(name: str) -> tuple[Split | None, bool]:
    """Return the split that a name says, and whether other words beside it say so too."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    words = [part for word in words for part in _without_is(word)]
    splits = [split for word in words if (split := _split_of(word)) is not None]
    beside = [word for word in words if _split_of(word) is None]
    if len(splits) != 1 or not AROUND.issuperset(beside):
        return None, False
    return splits[0], bool(beside)


def _without_is(word: str) -> list[str]:
    return ["is", word[2:]] if word[:2] == "is" and _split_of(word[2:]) is not None else [word]


def _split_of(word: str) -> Split | None:
    return Split.TEST if word in ("holdout", "heldout") else split_meant(word)


def _give(number: int) -> str:
    return "gives" if number == 1 else "give"
