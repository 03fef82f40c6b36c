"""Folders and an object store by the same verbs; the store is a real server, started here."""

import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainables.storage import (
    LocalStorage,
    Storage,
    StorageError,
    open_storage,
    patient,
    split_name,
)

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(tmp_path / "runs")
    return open_storage(request.getfixturevalue("bucket")).child(tmp_path.name)


def test_what_is_written_is_read(storage: Storage) -> None:
    storage.write("a.bin", b"\0\1" * 1000)
    storage.write("a.bin", b"again")
    assert storage.read("a.bin") == b"again"


def test_names_are_of_this_place_and_of_those_below(storage: Storage) -> None:
    assert storage.names() == []
    storage.write("b", b"")
    storage.write("a", b"")
    storage.child("below").write("c", b"")
    storage.write("below/d", b"1")
    assert storage.names() == ["a", "b", "below/c", "below/d"]
    assert storage.child("below").names() == ["c", "d"]


def test_a_place_travels_to_another_process(storage: Storage) -> None:
    storage.write("a", b"1")
    assert pickle.loads(pickle.dumps(storage)).read("a") == b"1"


def test_a_child_opens_by_its_uri(storage: Storage) -> None:
    storage.child("x").child("y").write("z", b"1")
    assert open_storage(storage.child("x").child("y").uri).read("z") == b"1"


def test_a_slash_at_the_end_of_a_uri_is_no_part_of_it(bucket: str) -> None:
    assert open_storage(bucket.replace("?", "/?")) == open_storage(bucket)


def test_a_question_mark_in_a_path_is_a_letter_and_in_a_uri_begins_the_options() -> None:
    assert split_name("what?/which.parquet") == ("what?", "which.parquet")
    assert split_name("which.parquet") == (".", "which.parquet")
    assert split_name("s3://bucket/boards/a.parquet?region=eu") == (
        "s3://bucket/boards?region=eu",
        "a.parquet",
    )


def test_what_is_not_there(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.read("nothing")
    storage.remove("nothing")


def test_what_is_removed_is_gone(storage: Storage) -> None:
    storage.write("a", b"1")
    storage.remove("a")
    assert storage.names() == []


def test_a_reader_of_a_folder_sees_the_old_content_or_the_new(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    contents = [bytes([n]) * 300_000 for n in range(8)]
    storage.write("a", contents[0])

    def write_all() -> None:
        for content in contents:
            storage.write("a", content)

    writer = threading.Thread(target=write_all)
    writer.start()
    while writer.is_alive():
        assert storage.read("a") in contents
    writer.join()


def test_content_is_on_disk_before_it_has_its_name_and_then_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a power cut would leave an empty file, or none."""
    file, synced, sync = tmp_path / "a", [], os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, file.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    LocalStorage(tmp_path).write("a", b"1")
    assert synced == [(file.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


def test_a_store_out_of_reach_is_a_storage_error(bucket: str) -> None:
    absent = open_storage(bucket.replace("bucket/", "no-such-bucket/"))
    with pytest.raises(StorageError, match=r"no-such-bucket/runs.*NoSuchBucket|does not exist"):
        absent.write("a", b"")


def test_a_store_that_comes_back_was_waited_for(
    s3_server: "ThreadedMotoServer", bucket: str
) -> None:
    storage = patient(open_storage(bucket))
    storage.write("a", b"before")
    s3_server.stop()
    again = threading.Timer(9, s3_server.start)  # pyarrow itself gives up after six seconds
    again.start()
    try:
        storage.write("a", b"after")
    finally:
        again.join()
    assert open_storage(bucket).read("a") == b"after"


def test_without_patience_a_store_out_of_reach_is_told_at_once(
    s3_server: "ThreadedMotoServer", bucket: str
) -> None:
    s3_server.stop()
    try:
        with pytest.raises(StorageError, match="NETWORK_CONNECTION"):
            open_storage(bucket).write("a", b"")
    finally:
        s3_server.start()


def test_a_key_in_a_uri_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold no key") as error:
        open_storage("s3://name:secret@bucket/runs")
    assert "secret" not in str(error.value)
