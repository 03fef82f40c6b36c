"""Embeddings that a disk has damaged: the report goes without them."""

from pathlib import Path

import numpy as np
import pytest

from trainables.storage import LocalStorage
from trainables.trials.embeddings import (
    EMBEDDINGS,
    Embeddings,
    read_embeddings,
    write_embeddings,
)


@pytest.mark.parametrize("kept", [0, 300])
def test_what_is_damaged_is_left_out_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: int
) -> None:
    vectors_ND = np.ones((4, 3), dtype=np.float32)
    embeddings = Embeddings(
        positions_N=np.arange(4), last_ND=vectors_ND, intermediate_ND=vectors_ND
    )
    write_embeddings(tmp_path, embeddings)
    file = tmp_path / EMBEDDINGS
    file.write_bytes(file.read_bytes()[:kept])
    assert read_embeddings(LocalStorage(tmp_path)) is None
    assert f"{file} is damaged" in capsys.readouterr().err
