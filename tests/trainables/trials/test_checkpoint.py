"""Checkpoints that are damaged, cut short, or hostile."""

import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from trainables.storage import LocalStorage
from trainables.trials.checkpoint import KEPT, CheckpointClock, Checkpoints, Loaded


def state(epoch: int) -> dict[str, Any]:
    return {"weights": torch.full((50,), float(epoch)), "reports": [{"epoch": epoch}]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trial"


@pytest.fixture
def folder(path: Path) -> Checkpoints:
    """Holds the checkpoints of epochs 1 and 2."""
    folder = Checkpoints(LocalStorage(path))
    folder.save(1, state(1))
    folder.save(2, state(2))
    return folder


def epoch_loaded(folder: Checkpoints) -> int | None:
    found = folder.load_newest().state
    if found is None:
        return None
    epoch: int = found["reports"][0]["epoch"]
    assert torch.equal(found["weights"], state(epoch)["weights"])
    return epoch


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert Checkpoints(LocalStorage(tmp_path / "absent")).load_newest() == Loaded(None, ())
    assert Checkpoints(LocalStorage(tmp_path)).load_newest() == Loaded(None, ())


def test_the_newest_is_loaded(folder: Checkpoints) -> None:
    assert epoch_loaded(folder) == 2


def test_the_newest_are_kept_and_nothing_else(folder: Checkpoints, path: Path) -> None:
    for epoch in (9, 10, 100):
        folder.save(epoch, state(epoch))
    assert sorted(file.name for file in path.iterdir()) == ["000010.pt", "000100.pt"]
    assert KEPT == 2
    assert epoch_loaded(folder) == 100


def test_an_epoch_can_be_written_again(folder: Checkpoints, path: Path) -> None:
    folder.save(2, state(2))
    assert len(list(path.iterdir())) == 2
    assert epoch_loaded(folder) == 2


def test_a_write_that_was_interrupted_is_not_seen(folder: Checkpoints, path: Path) -> None:
    newest = path / "000002.pt"
    newest.rename(newest.with_suffix(".123.tmp"))
    assert epoch_loaded(folder) == 1


@pytest.mark.parametrize("position", [0, 100, -1], ids=["first", "inside", "digest"])
def test_a_flipped_byte_falls_back(folder: Checkpoints, path: Path, position: int) -> None:
    newest = path / "000002.pt"
    content = bytearray(newest.read_bytes())
    content[position] ^= 1
    newest.write_bytes(content)
    assert epoch_loaded(folder) == 1
    assert folder.load_newest().corrupt == ("000002.pt",)


@pytest.mark.parametrize("kept_bytes", [0, 1, 32, 500])
def test_a_file_cut_short_falls_back(folder: Checkpoints, path: Path, kept_bytes: int) -> None:
    newest = path / "000002.pt"
    newest.write_bytes(newest.read_bytes()[:kept_bytes])
    assert epoch_loaded(folder) == 1


def test_all_damaged_is_none(folder: Checkpoints, path: Path) -> None:
    for file in path.iterdir():
        file.write_bytes(b"damaged")
    assert folder.load_newest() == Loaded(None, ("000002.pt", "000001.pt"))


class Canary:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_is_refused_and_not_run(
    folder: Checkpoints, path: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    folder.save(3, {"weights": Canary(canary)})
    content = (path / "000003.pt").read_bytes()
    assert content[-32:] == hashlib.sha256(content[:-32]).digest()
    assert epoch_loaded(folder) == 2
    assert folder.load_newest().corrupt == ("000003.pt",)
    assert not canary.exists()


def test_no_room_leaves_what_was_there(
    folder: Checkpoints, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.save(3, state(3))
    assert epoch_loaded(folder) == 2
    assert len(list(path.iterdir())) == 2


def test_a_checkpoint_is_due_at_rungs_and_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = CheckpointClock({2, 6}, last=0.0)
    seconds = iter((1.0, 2.0, 31.0, 32.1, 33.0))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    assert [clock.is_due(epoch) for epoch in (1, 2, 3, 4, 6)] == [False, True, False, True, True]
