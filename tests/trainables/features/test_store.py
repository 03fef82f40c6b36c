"""Features on a disk that has no room for them, or has damaged them."""

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from trainables.config.features import Pixels
from trainables.datasets.feature_data import FeatureData
from trainables.features.store import read_features, write_features

ROOM = 2**20


@pytest.fixture
def _little_room() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_little_room")
def test_what_has_no_room_leaves_nothing_and_names_the_place(tmp_path: Path) -> None:
    features = FeatureData(
        plain_ND=np.zeros((ROOM, 1), dtype=np.float32),
        views_VTD=np.zeros((0, 0, 1), dtype=np.float32),
        spec=Pixels(),
        arrays={},
        fingerprint="",
    )
    file = tmp_path / "features.npz"
    with pytest.raises(OSError, match="too large") as error:
        write_features(file, features)
    assert error.value.filename == str(file)
    assert list(tmp_path.iterdir()) == []
    assert read_features(file, Pixels()) is None


def damaged(content: bytes) -> list[bytes]:
    """Cut short, emptied, of other names, and said to be compressed in an unknown way."""
    last = content.rindex(b"PK\1\2")  # the archive's entry of its last array
    method = content[: last + 10] + b"\x63" + content[last + 11 :]
    return [b"", content[:100], content.replace(b"plain_ND", b"plain_MD"), method]


def test_damaged_features_are_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "features.npz"
    array = np.ones((4, 3), dtype=np.float32)
    write_features(
        file,
        FeatureData(
            plain_ND=array, views_VTD=array[None], spec=Pixels(), arrays={}, fingerprint="features"
        ),
    )
    content = file.read_bytes()
    assert read_features(file, Pixels()) is not None
    for number, wrong in enumerate(damaged(content), start=1):
        file.write_bytes(wrong)
        assert read_features(file, Pixels()) is None
        assert capsys.readouterr().err.count(f"{file} is damaged, and made again") == 1, number
