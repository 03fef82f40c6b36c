"""Files looked up by lists of folders are those that the system would give."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.datasets import load_dataset
from trainables.datasets.own_data.file_lookup import FEW, FileLookup, path_problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to(folder / "a")
    (folder / "out").symlink_to(tmp_path / "out.txt")
    (tmp_path / "out.txt").write_text("out")
    (folder / "dangling").symlink_to(folder / "none")
    os.mkfifo(folder / "pipe")
    (tmp_path / "linked").symlink_to(folder)
    return folder


@pytest.mark.parametrize("above", ["folder", "linked"])
def test_answers_are_those_of_the_system(folder: Path, above: str) -> None:
    lookup = FileLookup()
    names = ["a", "b", "link", "out", "dangling", "pipe", "inner", "none", "x" * 5000, "\0"]
    for _ in range(FEW):
        for name in names:
            path = f"{folder.parent / above}/{name}"
            assert lookup.problem(path) == path_problem(path)
            if name != "\0":
                assert lookup.real_path(path) == os.path.realpath(path)


def test_few_files_do_not_cost_a_list(folder: Path) -> None:
    lookup = FileLookup()
    for _ in range(FEW):
        assert lookup.problem(f"{folder}/a") is None
    (folder / "late").write_text("late")
    assert lookup.problem(f"{folder}/late") is None, "what no list has is looked up"


def test_links_that_leave_are_told_in_one_or_several(
    tmp_path: Path, data_dir: Path, class_folders: Callable[..., Path]
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 20, "dog": 20})
    lines = [f"{c}/{n:03}.png,{c}" for c in ("cat", "dog") for n in range(20)]
    (root / "list.csv").write_text("\n".join(["image,label", *lines]))

    def move(name: str) -> None:
        (root / name).rename(tmp_path / name.replace("/", "-"))
        (root / name).symlink_to(tmp_path / name.replace("/", "-"))

    def notes() -> set[str]:
        specs = (f"csv:{root / 'list.csv'}", f"folder:{root}")
        shutil.rmtree(data_dir, ignore_errors=True)
        return {load_dataset(spec, data_dir=data_dir).notes[-1] for spec in specs}

    move("cat/019.png")
    [note] = notes()
    assert note.startswith("1 image is a link to another folder, such as cat/019.png to")
    move("dog/001.png")
    [note] = notes()
    assert note.startswith("2 images are links to other folders, such as cat/019.png")
