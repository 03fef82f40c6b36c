"""Submissions filled from rows of pixels, which have no names."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tune_jobs.engine.cli import commands


class Done(NamedTuple):
    status: int
    out: str
    err: str


Predict = Callable[..., Done]


@pytest.fixture
def predict(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Predict:
    """Runs the command in the folder of the test."""
    monkeypatch.chdir(tmp_path)

    def predict(*words: str) -> Done:
        status = commands.main(["predict", str(model), *words])
        return Done(status, *capsys.readouterr())

    return predict


def write_digits(folder: Path, num_rows: int, before: str = "") -> Path:
    """Write rows of 16 pixels, dark ones in even places, as Kaggle's digit recognizer has them."""
    names = ",".join([*([before] if before else []), *(f"pixel{k}" for k in range(16))])
    rows = [
        ",".join([*([str(n)] if before else []), *[str(20 if n % 2 == 0 else 235)] * 16])
        for n in range(num_rows)
    ]
    (folder / "test.csv").write_text("\n".join([names, *rows]) + "\n")
    return folder / "test.csv"


@pytest.mark.parametrize("before", ["", "id", "Unnamed: 0"])
@pytest.mark.parametrize("first", [0, 1])
def test_rows_of_pixels_fill_a_submission_by_order(
    predict: Predict, tmp_path: Path, before: str, first: int
) -> None:
    file = write_digits(tmp_path, 5, before)
    sample = tmp_path / "sample.csv"
    sample.write_text("ImageId,Label\n" + "".join(f"{first + n},0\n" for n in range(5)))
    done = predict(f"csv:{file}", "--output", "filled.csv", "--submission", str(sample))
    assert done.status == 0, done.err
    classes = ["night", "day", "night", "day", "night"]
    lines = (tmp_path / "filled.csv").read_text().splitlines()
    assert lines[1:] == [f"{first + n},{name}" for n, name in enumerate(classes)]
    assert "5 of 5 rows of " in done.out
    assert "images have no ids, so rows were matched by their order" in done.out


def test_a_row_that_cannot_be_read_keeps_its_place_in_a_submission(
    predict: Predict, tmp_path: Path
) -> None:
    file = write_digits(tmp_path, 4)
    lines = file.read_text().splitlines()
    lines[2] = "1,2"
    file.write_text("\n".join(lines))
    sample = tmp_path / "sample.csv"
    sample.write_text("ImageId,Label\n1,x\n2,x\n3,x\n4,x\n")
    done = predict(f"csv:{file}", "--output", "filled.csv", "--submission", str(sample))
    assert done.status == 1
    lines = (tmp_path / "filled.csv").read_text().splitlines()
    assert lines == ["ImageId,Label", "1,night", "2,x", "3,night", "4,day"]
    assert "1: test.csv:3: 2 pixels, but the header has 16" in done.err


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ("1 2 3 4", "4 rows for 5 images without ids, which can only be matched by order"),
        ("0 1 2 3", "4 rows for 5 images without ids"),
        ("1 2 3 4 5 6", "6 rows for 5 images without ids"),
        ("5 4 3 2 1", "the ids do not count up ('5', '4', '3', '2', '1'), and the images have no"),
    ],
)
def test_an_order_that_cannot_be_right_is_refused(
    predict: Predict, tmp_path: Path, ids: str, said: str
) -> None:
    file = write_digits(tmp_path, 5)
    (tmp_path / "s.csv").write_text("ImageId,Label\n" + "".join(f"{n},0\n" for n in ids.split()))
    done = predict(f"csv:{file}", "--output", "x.csv", "--submission", "s.csv")
    assert done.status == 2
    assert f"error: --submission = 's.csv': {said}" in done.err
    assert not (tmp_path / "x.csv").exists()


def test_what_was_given_is_named(predict: Predict, tmp_path: Path) -> None:
    done = predict("csv:none")
    assert done.status == 2
    assert done.err.startswith(f"error: csv:none: there is no file {tmp_path / 'none'}. Images")
    assert "--dataset" not in done.err
