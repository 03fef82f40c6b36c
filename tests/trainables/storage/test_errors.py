"""Errors of a full disk are told from a trial's own, and name the disk. /dev/full is full."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.storage import (
    LocalStorage,
    OtherDiskError,
    StorageError,
    files_for,
    storage_errors,
)

FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, beside the storage."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_an_error_that_names_no_file_is_of_the_storage(tmp_path: Path) -> None:
    """Where no disk is full by now: what did not fit has been removed."""
    with (
        pytest.raises(StorageError, match=r"^No space left on device$") as raised,
        storage_errors(tmp_path / "a"),
        FULL.open("wb", buffering=0) as file,
    ):
        file.write(b"a line")
    assert not isinstance(raised.value, OtherDiskError)


def test_a_file_below_the_storage_is_of_the_storage(tmp_path: Path) -> None:
    file = tmp_path / "a" / "runs" / "study.journal"
    with (
        pytest.raises(StorageError, match=f"^No space left on device \\({file}\\)$") as raised,
        storage_errors(tmp_path / "a"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    assert not isinstance(raised.value, OtherDiskError)


def write() -> None:
    with FULL.open("wb", buffering=0) as file:
        file.write(b"a model")


def write_in_rust() -> None:
    """As safetensors, whose error has its number in the text alone."""
    raise RuntimeError("I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("storage", ["a", None], ids=["a folder", "an object store"])
@pytest.mark.parametrize("write", [write, write_in_rust])
def test_a_temporary_file_names_its_folder_and_the_remedy(
    tmp_path: Path, temporary: Path, storage: str | None, write: Callable[[], None]
) -> None:
    with (
        pytest.raises(OtherDiskError) as raised,
        storage_errors(tmp_path / storage if storage else None),
        files_for(LocalStorage(tmp_path / "a")),
    ):
        write()
    said = str(raised.value)
    assert said.startswith(f"'{temporary}' on ")
    assert f"the folder of temporary files: No space left on device ({temporary}/files-" in said
    assert "TMPDIR" in said
    assert not (tmp_path / "a").exists()


def test_a_file_elsewhere_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(OtherDiskError) as raised, storage_errors(tmp_path / "a"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "cache" / "it"))
    assert str(raised.value).startswith(f"'{tmp_path / 'cache'}' on ")
    assert "temporary" not in str(raised.value).partition(" on ")[2].partition(":")[0]


def test_an_error_of_a_trial_stays_what_it_is(tmp_path: Path) -> None:
    for error in (ValueError("28"), FileNotFoundError(errno.ENOENT, "none")):
        with pytest.raises(type(error)) as raised, storage_errors(tmp_path):
            raise error
        assert raised.value is error
