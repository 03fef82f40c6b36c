"""Folders and an object store by the same verbs; the store is a real server, started here."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

from trainables.storage import LocalStorage, Storage, open_storage

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket on a server of its own -> its URI."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        address = f"{host}:{port}"
        store = S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
        store.create_dir("bucket")
        yield f"s3://bucket/runs?endpoint_override={address}&scheme=http"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(tmp_path / "runs")
    return open_storage(request.getfixturevalue("bucket")).child(tmp_path.name)


def test_what_is_written_is_read(storage: Storage) -> None:
    storage.write("a.bin", b"\0\1" * 1000)
    storage.write("a.bin", b"again")
    assert storage.read("a.bin") == b"again"


def test_names_are_of_this_place_alone(storage: Storage) -> None:
    assert storage.names() == []
    storage.write("b", b"")
    storage.write("a", b"")
    storage.child("below").write("c", b"")
    storage.write("below/d", b"1")
    assert storage.names() == ["a", "b"]
    assert storage.child("below").names() == ["c", "d"]


def test_a_child_opens_by_its_uri(storage: Storage) -> None:
    storage.child("x").child("y").write("z", b"1")
    assert open_storage(storage.child("x").child("y").uri).read("z") == b"1"


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


def test_a_folder_shows_no_unfinished_files(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    (tmp_path / ".a.1.tmp").write_bytes(b"unfinished")
    storage.write("a", b"1")
    assert storage.names() == ["a"]
