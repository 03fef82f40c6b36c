"""`data` shows what would be trained on, in the terminal and on a page, and trains nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tune_jobs.engine.cli import commands

NASTY = "<b>&"


def write_images(
    folder: Path, count: int, generator: np.random.Generator, size: tuple[int, int] = (6, 9)
) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def write_set(root: Path) -> None:
    generator = np.random.default_rng(0)
    for split, counts in (("train", {"cat": 8, "[dog]": 4}), ("test", {"cat": 2, "[dog]": 3})):
        for name, count in counts.items():
            write_images(root / split / name, count, generator)
    copied = (root / "train" / "cat" / "0.png").read_bytes()
    (root / "train" / "[dog]" / "copy.png").write_bytes(copied)
    (root / "test" / "cat" / "copy.png").write_bytes((root / "train/cat/1.png").read_bytes())


def show(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Run `data` on a folder and return what it prints, by line."""
    data_dir = str(root.parent / "d")
    assert commands.main(["data", f"folder:{root}", "--data-dir", data_dir, *words]) == 0
    return capsys.readouterr().out.splitlines()


def read_page(lines: Sequence[str]) -> str:
    assert lines[-1].startswith("page: ")
    return Path(lines[-1].removeprefix("page: ")).read_text()


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_classes_are_counted_by_split_and_notes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "pets")
    first, *lines = show(tmp_path / "pets", capsys)
    assert "19 images of 6x9x3 in 2 classes; 10 train, 3 validation, 6 test" in first
    assert lines[:2] == ["sizes: all 9 x 6 (width x height)", "modes: RGB 19"]
    table = [line.split() for line in lines[2:5]]
    assert table == [
        ["class", "train", "validation", "test"],
        ["[dog]", "4", "1", "3"],
        ["cat", "6", "2", "3"],
    ]
    notes = "\n".join(lines[5:-1])
    pair = "train/cat/1.png and test/cat/copy.png"
    assert f"note: 1 test image is a training image, pixel by pixel: {pair}" in notes
    assert "train/cat/0.png (cat)" in notes
    assert "train/[dog]/copy.png ([dog])" in notes
    assert {path.name for path in tmp_path.iterdir()} == {"pets", "d"}


def test_a_terminal_that_lacks_a_letter_is_shown_its_number(tmp_path: Path) -> None:
    for name in ("größe", "plain"):
        write_images(tmp_path / "set" / name, 8, np.random.default_rng(len(name)))
    shown = subprocess.run(
        [sys.executable, "-m", "tune_jobs", "data", f"folder:{tmp_path / 'set'}"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"gr\xf6\xdfe" in shown.stdout


def test_the_page_has_what_is_printed_and_four_images_of_each_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "pets")
    (tmp_path / "pets" / "train" / "cat").rename(tmp_path / "pets" / "train" / NASTY)
    (tmp_path / "pets" / "test" / "cat").rename(tmp_path / "pets" / "test" / NASTY)
    lines = show(tmp_path / "pets", capsys)
    page = read_page(lines)
    told = [line.removeprefix("note: ") for line in lines if line.startswith(("note: ", "sizes: "))]
    assert len(told) == 3
    for line in told:
        assert (
            f"<p>{line.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</p>" in page
        )
    assert NASTY not in page
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.DOTALL)
    assert [row.count("data:image/png;base64,") for row in rows] == [4, 4]
    assert [re.findall(r"<td>([\d,]+)</td>", row) for row in rows] == [
        ["6", "2", "3"] if "&lt;b&gt;&amp;" in row else ["4", "1", "3"] for row in rows
    ]
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"(src|href)=\"(?!data:)|<script|url\(", page), "it needs no other file"
    assert read_page(show(tmp_path / "pets", capsys)) == page


def test_groups_are_counted_by_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "scans"
    write_images(root, 60, np.random.default_rng(0))
    lines = [f"{n}.png,{'ab'[n // 3 % 2]},patient {n // 3}" for n in range(60)]
    (root / "all.csv").write_text("\n".join(["image,label,patient", *lines]))
    spec, data_dir = f"csv:{root / 'all.csv'}?group=patient", str(tmp_path / "d")
    assert commands.main(["data", spec, "--data-dir", data_dir]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.endswith("36 train, 12 validation, 12 test, of 12, 4 and 4 groups")


def test_images_that_differ_in_size_are_shown_at_a_size_that_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    write_images(tmp_path / "pets" / "cat", 5, generator, (80, 60))
    write_images(tmp_path / "pets" / "dog", 6, generator, (70, 110))
    lines = show(tmp_path / "pets", capsys)
    assert "11 images of 64x64x3 in 2 classes" in lines[0]
    assert lines[1] == (
        "sizes: from 60 x 80 to 110 x 70, most often 110 x 70 (6 of 11; width x height)"
    )
    assert lines[3].startswith("a run needs --image-size, since the images differ in size: 64 is ")
    assert lines[3] in read_page(lines)
    given = show(tmp_path / "pets", capsys, "--image-size", "32")
    assert "11 images of 32x32x3 in 2 classes" in given[0]
    assert given[1] == lines[1]
    assert not any("a run needs" in line for line in given)


def test_a_page_of_many_classes_has_the_first_hundred_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    for number in range(103):
        write_images(tmp_path / "many" / f"class-{number:03}", 3, generator)
    lines = show(tmp_path / "many", capsys)
    assert any(line.startswith("class-102 ") for line in lines)
    page = read_page(lines)
    assert "The first 100 of 103 classes" in page
    assert (page.count("<tr>"), "class-099" in page, "class-100" in page) == (101, True, False)


def test_the_page_goes_where_output_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "pets")
    page = tmp_path / "mine.html"
    assert show(tmp_path / "pets", capsys, "--output", str(page))[-1] == f"page: {page}"
    assert page.read_text().startswith("<!doctype html>")
    assert not (tmp_path / "d" / "overview").exists()


@pytest.mark.parametrize(
    ("output", "rule"),
    [
        ("page.txt", "must end in .html"),
        ("none/page.html", "there is no folder none: make it"),
        ("folder.html", "cannot be written: name a file of yours"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_decoded(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    rule: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.html").mkdir()
    assert commands.main(["data", "digits", "--data-dir", "d", "--output", output]) == 2
    assert f"error: --output = {output!r}: " in (said := capsys.readouterr().err)
    assert rule in said
    assert not Path("d").exists()


def test_data_that_cannot_be_used_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["data", f"folder:{tmp_path}", "--data-dir", str(tmp_path / "d")]) == 2
    assert capsys.readouterr().err.startswith("error: the data of --dataset 'folder:")
