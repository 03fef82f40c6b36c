"""Images stay in files: the object store has a handle, and a node without the files copies them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ray

from trainables.datasets import ImageData, load_dataset
from trainables.datasets.cache import with_arrays, without_arrays
from trainables.storage import OtherDiskError
from trainables.trials.inputs import TrialInputs
from trainables.worker import shared
from trainables.worker.shared import SharedInputs, copied_parts

pytestmark = pytest.mark.usefixtures("one_ray")

LARGEST_HANDLE_BYTES = 100_000


@pytest.fixture
def data(tmp_path: Path) -> ImageData:
    return load_dataset("digits", data_dir=tmp_path / "here", image_size=32, folds=3)


def elsewhere(data: ImageData, folder: Path) -> ImageData:
    """What another machine has of the data at first, where `folder` is the path of its cache."""
    assert data.decoded
    return replace(without_arrays(data), decoded=folder / data.decoded.name)


def parts(data: ImageData) -> Iterator[tuple[str, bytes]]:
    assert data.decoded
    return copied_parts(data.decoded, ray.get_runtime_context().get_node_id())


def test_the_object_store_has_a_handle_alone(data: ImageData) -> None:
    folds = tuple(TrialInputs(data=data.in_fold(number)) for number in range(3))
    few = data.images_NHWC[:9], data.names_N[:9]
    small = replace(data, decoded=None, images_NHWC=few[0], names_N=few[1])
    inputs = replace(folds[0], reduced={8: small}, folds=folds)
    handle = SharedInputs.put(inputs)
    [there] = ray.experimental.get_object_locations([handle.reference]).values()
    assert there["object_size"] < LARGEST_HANDLE_BYTES < data.images_NHWC.nbytes
    fetched = handle.fetch()
    for found in (fetched.data, *(fold.data for fold in fetched.folds)):
        np.testing.assert_array_equal(found.images_NHWC, data.images_NHWC)
        assert found.names_N.tolist() == data.names_N.tolist()
    np.testing.assert_array_equal(fetched.reduced[8].images_NHWC, small.images_NHWC)
    assert fetched.folds[1].data.split_fingerprint == data.in_fold(1).split_fingerprint


def test_a_node_without_the_files_copies_them_once(
    data: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "PART_BYTES", 100_000)  # of 1.8 MB
    there = elsewhere(data, tmp_path / "there" / "decoded")
    started = []

    def receive(_: int) -> ImageData:
        def watched() -> Iterator[tuple[str, bytes]]:
            started.append(1)
            yield from parts(data)

        return with_arrays(there, watched())

    with ThreadPoolExecutor(4) as workers:
        for found in workers.map(receive, range(4)):
            np.testing.assert_array_equal(found.images_NHWC, data.images_NHWC)
            assert found.names_N.tolist() == data.names_N.tolist()
    assert started == [1]
    assert there.decoded
    assert data.decoded
    for file in data.decoded.iterdir():
        assert (there.decoded / file.name).read_bytes() == file.read_bytes()
    assert not list(there.decoded.parent.glob("*.unfinished"))


def test_a_copy_that_differs_is_not_kept(data: ImageData, tmp_path: Path) -> None:
    def damaged() -> Iterator[tuple[str, bytes]]:
        for name, part in parts(data):
            yield name, part[:-1] + bytes([part[-1] ^ 1]) if name == "images.npy" else part

    there = elsewhere(data, tmp_path / "there" / "decoded")
    with pytest.raises(OSError, match="is not what was sent"):
        with_arrays(there, damaged())
    assert there.decoded
    assert [file.suffix for file in there.decoded.parent.iterdir()] == [".lock"]
    np.testing.assert_array_equal(with_arrays(there, parts(data)).labels_N, data.labels_N)


def test_files_that_are_gone_are_named(data: ImageData) -> None:
    assert data.decoded
    handle = SharedInputs.put(TrialInputs(data=data))
    (data.decoded / "images.npy").unlink()
    with pytest.raises(OtherDiskError, match=f"cannot be had in '{data.decoded}' on .*--data-dir"):
        handle.fetch()
