"""Decoding on all cores gives what decoding in this process gives."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError
from trainables.datasets.decoding.decode import Encoded
from trainables.datasets.decoding.decode_all import Undecodable, decode_all
from trainables.datasets.decoding.npy import create_npy
from trainables.datasets.decoding.processes import map_in_processes


@pytest.fixture
def images(tmp_path: Path, write_image: Callable[..., Path]) -> list[Encoded]:
    """Files and bytes, enough for several tasks; the 40th is no image."""
    paths = [write_image(tmp_path / f"{number:03}.png", number) for number in range(100)]
    paths[40].write_text("text")
    return [*paths[:50], *(path.read_bytes() for path in paths[50:])]


def test_processes_and_this_one_agree(
    tmp_path: Path, images: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, arrays = [], []
    for seconds in (60.0, 0.0):
        module = "trainables.datasets.decoding.decode_all"
        monkeypatch.setattr(f"{module}.PATIENCE_SECONDS", seconds)
        target = tmp_path / f"{seconds}.npy"
        outcomes.append(
            decode_all(images, target, num_images=len(images), image_size=None, num_channels=3)
        )
        arrays.append(np.load(target))
    assert outcomes[0] == outcomes[1]
    assert [index for index, found in enumerate(outcomes[0]) if isinstance(found, Undecodable)] == [
        40
    ]
    assert isinstance(outcomes[0][40], Undecodable)
    np.testing.assert_array_equal(arrays[0], arrays[1])
    assert arrays[0].any(axis=(1, 2, 3)).sum() == 99


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended early"):
        map_in_processes(exit, [1, 2, 3], print, num_processes=2)


def test_an_error_in_the_source_of_tasks_is_raised() -> None:
    def tasks() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        map_in_processes(abs, tasks(), print, num_processes=2)


def test_an_error_stops_all_processes() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1_000_000):  # far more than a slow machine draws meanwhile
            drawn.append(number)
            yield number

    def receive(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_in_processes(abs, tasks(), receive, num_processes=2)
    assert len(drawn) < 1_000_000


def test_more_than_the_disk_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"need .* GB, but the disk of .* Give a smaller"):
        create_npy(tmp_path / "images.npy", (1 << 40, 64, 64, 3))
    assert not list(tmp_path.iterdir())


def test_each_result_is_received_once() -> None:
    received: list[int] = []
    map_in_processes(abs, range(-50, 0), received.append, num_processes=3)
    assert sorted(received) == list(range(1, 51))
