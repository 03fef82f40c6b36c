"""The text of --dataset and its errors."""

from pathlib import Path

import pytest

from trainables.datasets import DatasetError
from trainables.datasets.spec import parse_spec


@pytest.mark.parametrize("text", ["digits", "fashion-mnist", "mnist", "cifar10", "stl10"])
def test_published(text: str) -> None:
    assert parse_spec(text).kind == text


def test_path_and_options(tmp_path: Path) -> None:
    (tmp_path / "a:b.csv").touch()
    spec = parse_spec(f"csv:{tmp_path}/a:b.csv?image=file&label=a+b")
    assert spec.path == tmp_path / "a:b.csv"
    assert spec.options == {"image": "file", "label": "a b"}


@pytest.mark.parametrize("written", ["what is it?", "what is it%3F", "what is it%3f"])
def test_question_mark_in_a_path(tmp_path: Path, written: str) -> None:
    (tmp_path / "what is it?").mkdir()
    (tmp_path / "what is it?" / "a.csv").touch()
    spec = parse_spec(f"csv:{tmp_path}/{written}/a.csv?image=b")
    assert spec.path == tmp_path / "what is it?" / "a.csv"
    assert spec.options == {"image": "b"}
    assert parse_spec(f"folder:{tmp_path}/{written}").path == tmp_path / "what is it?"


def test_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_spec("folder:~").path == tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fashon-mnist", "(did you mean 'fashion-mnist'?)"),
        ("foldr:{here}", "(did you mean 'folder'?)"),
        ("", "must begin with one of cifar10, csv, digits, fashion-mnist"),
        ("{here}", "must begin with one of cifar10, csv, digits, fashion-mnist"),
        ("fashion_mnist", "(did you mean 'fashion-mnist'?)"),
        ("_idx", "must begin with one of cifar10, csv, digits, fashion-mnist"),
        ("digits.", "(did you mean 'digits'?)"),
        ("no_such.module:x", "no_such.module cannot be imported (No module named 'no_such')"),
        ("trainables.metrics:x", "the module trainables.metrics must define SOURCE"),
        ("folder:", "must give a path, as folder:PATH"),
        ("csv:", "must give a path, as csv:PATH"),
        ("folder:{here}/none", "there is no folder {here}/none"),
        ("parquet:{here}/none", "there is no file or folder {here}/none"),
        ("csv:{here}", "there is no file {here}"),
        ("folder:~nobody-of-this-name/x", "'~nobody-of-this-name/x' is no path: "),
        ("folder:{here}/a\0b", "is no path: embedded null byte"),
        ("folder:" + "x" * 5000, "is no path: "),
        ("digits:{here}", "must be 'digits' alone"),
        ("mnist?image=x", "its options may be: none, not 'image'"),
        ("generated", "must give HxWxC, as generated:HxWxC"),
        ("parquet:{here}?lable=x", "not 'lable' (did you mean 'label'?)"),
        (
            "parquet:{here}?label=",
            "split=NAME and group=NAME and images=FOLDER and ext=ENDING, each with a value",
        ),
        ("folder:{here}?label=x", "its options may be: none"),
        ("folder:{here}/why?/none", "a ? in a path is written %3F"),
    ],
)
def test_errors_name_key_value_rule_and_ways(tmp_path: Path, text: str, expected: str) -> None:
    text = text.format(here=tmp_path)
    with pytest.raises(DatasetError) as raised:
        parse_spec(text)
    message = str(raised.value)
    assert message.startswith(f"the value of --dataset is {text!r}, but ")
    assert expected.format(here=tmp_path) in message
    assert "folder:PATH" in message
