"""Where a run's files lie."""

from pathlib import Path

import pytest

from trainables.storage import open_storage
from tune_jobs.engine.run_state.folder import place_of, storage_of


@pytest.mark.parametrize("name", ["results", "results?", "what?/results"])
def test_the_storage_of_a_run_is_where_it_was_opened(tmp_path: Path, name: str) -> None:
    storage = open_storage(tmp_path / name)
    assert storage_of(place_of(storage, "digits_cnn", "run")) == storage
