"""`predict` as a user types it, with a model that tells dark images from bright ones."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from tune_jobs.engine.cli import commands


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """300 images, more than a batch: those of even numbers are dark."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(300):
        grey = np.full((4, 4), 20 if number % 2 == 0 else 235, dtype=np.uint8)
        Image.fromarray(grey).save(folder / f"{number:03}.png")
    return folder


def predict(
    model: Path, *words: str | Path, cwd: Path, status: int = 0
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tune_jobs", "predict", model, *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_a_folder_is_shown_line_by_line(model: Path, photos: Path, tmp_path: Path) -> None:
    done = predict(model, photos, "--top", "1", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["000.png  night 1.0000", "001.png  day 1.0000"]
    assert len(lines) == 300
    assert not done.stderr


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_has_a_column_per_class(
    model: Path, photos: Path, tmp_path: Path, ending: str
) -> None:
    output = tmp_path / f"table.{ending}"
    done = predict(model, photos, "--output", output, cwd=tmp_path)
    assert done.stdout == f"{output}: the predictions of 300 images\n"
    if ending == "csv":
        with output.open(newline="") as file:
            rows = list(csv.DictReader(file))
    elif ending == "jsonl":
        rows = [json.loads(line) for line in output.read_text().splitlines()]
    else:
        rows = pq.read_table(output).to_pylist()
    assert len(rows) == 300
    assert list(rows[0]) == ["name", "predicted", "night", "class name", "day"]
    assert [rows[1]["name"], rows[1]["predicted"]] == ["001.png", "day"]
    found = [float(rows[1][name]) for name in ("night", "class name", "day")]
    logits = torch.tensor([-10.0, -5, 10]) * torch.tensor([215 / 255, 1, 215 / 255])
    assert found == pytest.approx(logits.softmax(dim=0).tolist(), abs=1e-6)


def test_damaged_images_are_listed_and_the_others_are_predicted(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "007.png").write_bytes((photos / "007.png").read_bytes()[:40])
    (photos / "008.png").write_bytes(b"")
    done = predict(model, photos, "--output", "all.csv", cwd=tmp_path, status=1)
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 299
    said = done.stderr.splitlines()
    assert said[0] == "error: 2 of 300 images could not be predicted:"
    assert said[1].startswith("  007.png: ")
    assert said[2] == "  008.png: empty: it holds no image"


def test_of_many_damaged_images_ten_are_listed_and_a_file_has_them_all(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    for number in range(12):
        (photos / f"{number:03}.png").write_bytes(b"")
    done = predict(model, photos, "--output", "all.csv", cwd=tmp_path, status=1)
    first, *said = done.stderr.splitlines()
    assert first == "error: 12 of 300 images could not be predicted:"
    assert len(said) == 11
    assert said[-1].startswith("  ... and 2 more (all in ")
    whole = Path(said[-1].partition("(all in ")[2].removesuffix(")"))
    assert [line[:8] for line in whole.read_text().splitlines()] == [
        f"{number:03}.png:" for number in range(12)
    ]
    shutil.rmtree(whole.parent)


def test_nothing_but_damaged_images(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"x")
    done = predict(model, "bad.png", cwd=tmp_path, status=1)
    assert done.stderr.startswith("error: 1 of 1 image could not be predicted:\n  bad.png: not")


@pytest.mark.parametrize("form", ["{}.png", "{}", "photos/{}"])
def test_a_submission_of_classes(model: Path, photos: Path, tmp_path: Path, form: str) -> None:
    ids = [form.format(number) for number in ("002", "001", "005")]
    sample = tmp_path / "sample_submission.csv"
    sample.write_text("id,label\n" + "".join(f"{name},0\n" for name in ids))
    given = [Path("photos") / f"{n:03}.png" for n in range(6)] if "/" in form else [photos]
    words = ("--output", "filled.csv", "--submission", sample)
    done = predict(model, *given, *words, cwd=tmp_path)
    assert (tmp_path / "filled.csv").read_text().splitlines() == [
        "id,label",
        f"{ids[0]},night",
        f"{ids[1]},day",
        f"{ids[2]},day",
    ]
    surplus = 3 if "/" in form else 297
    assert "3 of 3 rows of " in done.stdout
    assert f"{surplus} images that it does not have are left out" in done.stdout


def test_a_submission_of_probabilities_in_its_own_order(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "001.png").write_bytes(b"")
    sample = tmp_path / "sample.csv"
    sample.write_text("image_id,day,night,name\n000,0.3,0.3,0.4\n001,0.3,0.3,0.4\n")
    words = ("--output", "filled.csv", "--submission", sample)
    done = predict(model, photos, *words, cwd=tmp_path, status=1)
    lines = (tmp_path / "filled.csv").read_text().splitlines()
    header, first, second = csv.reader(lines)
    assert header == ["image_id", "day", "night", "name"]
    assert [round(float(cell)) for cell in first[1:]] == [0, 1, 0]
    assert second == ["001", "0.3", "0.3", "0.4"]
    assert "1 of 2 rows of " in done.stdout
    assert "001.png: empty" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--top", "0"], "--top = 0: must be at least 1"),
        (["--output", "x.json"], "--output = 'x.json': must end in .csv, .jsonl, .parquet"),
        (["--output", "none/x.csv"], "--output = 'none/x.csv': there is no folder none"),
        (["--submission", "s.csv"], "--submission = 's.csv': it is filled into another file"),
        (["--submission", "s.csv", "--output", "x.parquet"], "must end in .csv"),
        (["--submission", "s.csv", "--output", "s.csv"], "would overwrite --submission"),
        (["--submission", "none.csv", "--output", "x.csv"], "cannot be read as CSV"),
        (["--submission", "one.csv", "--output", "x.csv"], "a column for the answers"),
        (["--submission", "s.csv", "--output", "x.csv"], "'cat', 'dog' are none of 'night'"),
        (["--submission", "ids.csv", "--output", "x.csv"], "1 of its 2 ids name no image"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    model: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.csv").write_text("id,cat,dog\n000,0,1\n")
    (tmp_path / "one.csv").write_text("id\n000\n")
    (tmp_path / "ids.csv").write_text("id,label\n000,x\nnone,x\n")
    before = (tmp_path / "s.csv").read_text()
    assert commands.main(["predict", str(model), str(photos), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert (tmp_path / "s.csv").read_text() == before
    assert not (tmp_path / "x.csv").exists()


def test_a_path_where_nothing_is(model: Path, tmp_path: Path) -> None:
    done = predict(model, "none", cwd=tmp_path, status=2)
    assert done.stderr.startswith("error: none: no such file or folder")
