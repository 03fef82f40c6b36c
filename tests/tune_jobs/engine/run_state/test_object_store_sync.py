"""What the driver appends to, copied to a real object store."""

import re
import shutil
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

from tests.conftest import CREDENTIALS
from trainables.storage import LocalStorage, Storage, open_storage
from tune_jobs.engine.errors import RunError
from tune_jobs.engine.run_state import object_store_sync
from tune_jobs.engine.run_state.folder import RunFolder, run_folder
from tune_jobs.engine.run_state.object_store_sync import mirrored


@pytest.fixture
def place(bucket: str, tmp_path: Path) -> Storage:
    return open_storage(bucket).child(tmp_path.name)


def write(folder: RunFolder, name: str, content: bytes) -> None:
    file = folder.local / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def test_the_end_copies_whole_lines_and_removes_what_is_gone(place: Storage) -> None:
    place.write("study.journal", b"1\n")
    place.write("tensorboard/winner/old", b"x")
    place.write("run.json", b"{}")
    with run_folder(place) as folder, mirrored(folder):
        assert folder.journal.read_bytes() == b"1\n"
        write(folder, "study.journal", b"1\n2\n3 is torn")
        shutil.rmtree(folder.tensorboard / "winner")
        write(folder, "tensorboard/winner/new", b"y")
    assert place.names() == ["run.json", "study.journal", "tensorboard/winner/new"]
    assert place.read("study.journal") == b"1\n2\n"
    assert not folder.local.exists()


def test_copies_are_made_while_a_run_is_alive(
    place: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store_sync, "EVERY_SECONDS", 0.05)
    with run_folder(place) as folder, mirrored(folder):
        for line in (b"1\n", b"1\n2\n"):
            write(folder, "study.journal", line)
            while place.names() != ["study.journal"] or place.read("study.journal") != line:
                pass


def test_the_journal_is_there_before_a_run_that_needs_it(place: Storage) -> None:
    with run_folder(place) as folder, mirrored(folder):
        folder.copy_journal()
        assert place.names() == []
        write(folder, "study.journal", b"1\n")
        folder.copy_journal()
        assert place.read("study.journal") == b"1\n"


def test_an_error_of_the_run_is_told_and_the_record_copied(place: Storage) -> None:
    def fail() -> None:
        with run_folder(place) as folder, mirrored(folder):
            write(folder, "study.journal", b"1\n")
            raise RuntimeError("made up")

    with pytest.raises(RuntimeError, match="made up"):
        fail()
    assert place.read("study.journal") == b"1\n"


def test_a_run_that_was_taken_over_leaves_the_record_of_who_took_it(place: Storage) -> None:
    place.write("study.journal", b"1\n")
    is_held = [True]
    with run_folder(place) as folder, mirrored(folder, lambda: is_held[0]):
        write(folder, "study.journal", b"1\n2\n")
        write(folder, "tensorboard/winner/ours", b"x")
        place.write("study.journal", b"1\nof another process\n")
        is_held[0] = False
    assert place.names() == ["study.journal"]
    assert place.read("study.journal") == b"1\nof another process\n"


def test_a_folder_needs_no_copies(tmp_path: Path) -> None:
    place = LocalStorage(tmp_path)
    with run_folder(place) as folder, mirrored(folder):
        write(folder, "study.journal", b"1\n2 is torn")
    assert place.read("study.journal") == b"1\n2 is torn"


def test_a_store_that_is_gone_at_the_end_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"{host}:{port}"
    S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True).create_dir(
        "own"
    )
    place = open_storage(f"s3://own/runs?endpoint_override={address}&scheme=http")

    def lose_the_store() -> None:
        with run_folder(place) as folder, mirrored(folder):
            write(folder, "study.journal", b"1\n")
            server.stop()

    with pytest.raises(RunError, match="could not be copied") as error:
        lose_the_store()
    kept = re.search(r"copy what is in (\S+) to s3://own/runs", str(error.value))
    assert kept
    assert Path(kept[1], "study.journal").read_bytes() == b"1\n"
    shutil.rmtree(kept[1])
