"""Features on a disk that has no room for them."""

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
