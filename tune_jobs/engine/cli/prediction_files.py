"""Predictions as a file: a table of all classes, or the shape that a competition asks for."""

import csv
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.datasets import UnlabelledImages
from trainables.datasets.errors import counted
from trainables.storage import LocalStorage
from tune_jobs.engine.errors import RequestError

ENDINGS = (".csv", ".jsonl", ".parquet")
OWN_COLUMNS = ("name", "predicted")
MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PredictedImages:
    """Holds the class probabilities of N images, in the order in which they were given."""

    names: tuple[str, ...]
    class_names: tuple[str, ...]
    probabilities_NK: npt.NDArray[np.float32]

    @property
    def predicted(self) -> list[str]:
        """Give the name of each image's most probable class."""
        return [self.class_names[k] for k in self.probabilities_NK.argmax(axis=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """Holds a sample of a submission: ids in the first column, answers in the others."""

    path: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def check_output(output: str | None, submission: str | None) -> None:
    """Refuse a file that could not be written, before anything is predicted.

    Raises:
        RequestError: `--output` has an unknown ending or no folder, or `--submission` needs it.
    """
    if output is None:
        if submission is not None:
            raise RequestError(
                f"--submission = {submission!r}: it is filled into another file: name it by "
                "--output FILE.csv"
            )
        return
    endings = (".csv",) if submission else ENDINGS
    file = Path(output)
    if file.suffix.lower() not in endings:
        wanted = "a submission is CSV: " if submission else ""
        raise RequestError(f"--output = {output!r}: {wanted}must end in {', '.join(endings)}")
    check_place(output)
    if submission and file.resolve() == Path(submission).resolve():
        raise RequestError(f"--output = {output!r}: would overwrite --submission: name another")


def check_place(output: str) -> None:
    """Refuse, with `RequestError`, a file of `--output` whose folder does not take it."""
    file = Path(output)
    if not file.parent.is_dir():
        raise RequestError(f"--output = {output!r}: there is no folder {file.parent}: make it")
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise RequestError(f"--output = {output!r}: cannot be written: name a file of yours")


def write_table(predicted: PredictedImages, output: str) -> None:
    """Write a row per image: its name, the predicted class, a column per class."""
    columns: dict[str, Any] = {"name": predicted.names, "predicted": predicted.predicted}
    for name, probabilities_N in zip(
        predicted.class_names, predicted.probabilities_NK.T, strict=True
    ):
        columns[f"class {name}" if name in OWN_COLUMNS else name] = probabilities_N
    form = {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}
    _write(output, form[Path(output).suffix.lower()](columns))


def _csv(columns: Mapping[str, Any]) -> bytes:
    return _csv_text(list(columns), zip(*_plain(columns), strict=True))


def _json_lines(columns: Mapping[str, Any]) -> bytes:
    import json

    rows = zip(*_plain(columns), strict=True)
    lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _parquet(columns: Mapping[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(columns)), target, compression="zstd")
    return bytes(target.getvalue())


def _plain(columns: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Give each column as Python's own values."""
    return [v.tolist() if isinstance(v, np.ndarray) else v for v in columns.values()]


def read_submission(path: str) -> Submission:
    """Read a CSV with a header, ids and at least one column of answers.

    Raises:
        RequestError: It cannot be read, or is none such.
    """
    key = f"--submission = {path!r}"
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"{key}: cannot be read as CSV: {error}") from error
    if len(header) < 2 or not rows:
        raise RequestError(f"{key}: must have a header, ids and a column for the answers")
    uneven = next((row for row in rows if len(row) != len(header)), None)
    if uneven is not None:
        raise RequestError(f"{key}: the row of {uneven[0]!r} has not {len(header)} cells")
    return Submission(path=path, header=header, rows=rows)


def fill_submission(
    sample: Submission, predicted: PredictedImages, output: str, images: UnlabelledImages
) -> str:
    """Write `sample` with the answers in place of its own -> what to tell of it.

    The rows of images that could not be decoded stay as they are in `sample`. Images that are but
    the numbered rows of a file are those of the sample, in the order of both.

    Args:
        images: All, of which those that could be decoded are predicted.

    Raises:
        RequestError: A column is no class, or an id is no image.
    """
    answer = _answers(sample, predicted)
    match = _match_order if images.is_numbered else _match_ids
    matched = match(sample, images.names)
    place_of = {int(index): place for place, index in enumerate(images.sound_indices)}
    places = [place_of.get(index) for index in matched]
    rows = [
        list(row) if place is None else [row[0], *answer(place)]
        for row, place in zip(sample.rows, places, strict=True)
    ]
    _write(output, _csv_text(sample.header, rows))
    num_filled = len(rows) - places.count(None)
    told = f"{output}: {num_filled:,} of {counted(len(rows), 'row')} of {sample.path} are filled"
    if images.is_numbered:
        told += "; images have no ids, so rows were matched by their order"
    surplus = len(images.names) - len(set(matched))
    left = counted(surplus, "image that it does not have is", "images that it does not have are")
    return told + (f"; {left} left out" if surplus else "")


def _answers(sample: Submission, predicted: PredictedImages) -> Callable[[int], Sequence[object]]:
    """Give the function that makes the cells behind an id: probabilities, or the class."""
    asked = [name.strip() for name in sample.header[1:]]
    unknown = [name for name in asked if name not in predicted.class_names]
    if not unknown:
        columns = [predicted.class_names.index(name) for name in asked]
        return lambda place: predicted.probabilities_NK[place, columns].tolist()
    if len(asked) == 1:
        classes = predicted.predicted
        return lambda place: [classes[place]]
    raise RequestError(
        f"--submission = {sample.path!r}: its columns behind the ids must be one for the class, or "
        f"classes of the model, but {_some(unknown)} are none of {_some(predicted.class_names)}"
    )


def _match_ids(sample: Submission, names: Sequence[str]) -> list[int]:
    """Find the image of each id: by its whole name, without its folder, or without its ending.

    One way must serve for all ids, and find one image for each.
    """
    ids = [row[0].strip() for row in sample.rows]
    forms: tuple[Callable[[str], str], ...] = (
        str,
        lambda name: PurePosixPath(name).name,
        lambda name: str(PurePosixPath(name).with_suffix("")),
        lambda name: PurePosixPath(name).stem,
    )
    missing = ids
    for form in forms:
        found: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            found.setdefault(form(name), []).append(place)
        lacking = [name for name in ids if len(found.get(name, ())) != 1]
        if not lacking:
            return [found[name][0] for name in ids]
        missing = min(missing, lacking, key=len)
    raise RequestError(
        f"--submission = {sample.path!r}: {len(missing):,} of its {len(ids):,} ids name no image, "
        f"or more than one: {_some(missing)}; the images are called {_some(names)}"
    )


def _match_order(sample: Submission, names: Sequence[str]) -> list[int]:
    """Take the images in their order, where there are as many ids, which do not say another one."""
    key = f"--submission = {sample.path!r}"
    ids = [row[0].strip() for row in sample.rows]
    if len(ids) != len(names):
        raise RequestError(
            f"{key}: {counted(len(ids), 'row')} for {counted(len(names), 'image')} without ids, "
            "which can only be matched by order: give the images of all rows and no others, or "
            "give the images' file a column 'id'"
        )
    numbered = [re.fullmatch(r"(.*?)(\d+)(\.\w+)?", name) for name in ids]
    if all(numbered) and len({match[1] for match in numbered if match}) == 1:
        numbers = [int(match[2]) for match in numbered if match]
        if numbers != sorted(set(numbers)):
            raise RequestError(
                f"{key}: the ids do not count up ({_some(ids)}), and the images have none: give "
                "the images' file a column 'id', so that they can be matched"
            )
    return list(range(len(ids)))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MAX_NAMED]))
    return shown + (", ..." if len(names) > MAX_NAMED else "")


def _csv_text(header: Sequence[str], rows: Any) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _write(output: str, content: bytes) -> None:
    file = Path(output)
    try:
        LocalStorage(file.parent).write(file.name, content)
    except OSError as error:
        raise RequestError(f"--output = {output!r}: cannot be written: {error.strerror}") from error
