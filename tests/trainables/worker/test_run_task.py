"""A node that joins a cluster later is held to the storage too."""

from pathlib import Path

import pytest

from trainables.storage import StorageError, open_storage
from trainables.worker.run_task import check_run_folder


def test_a_node_that_does_not_see_the_run_trains_nothing(tmp_path: Path) -> None:
    run = open_storage(tmp_path / "runs" / "digits_cnn" / "one")
    with pytest.raises(StorageError, match=r"does not share it: no .*runs/digits_cnn/one"):
        check_run_folder(run.child("checkpoints"))
    run.write("run.json", b"{}")
    check_run_folder(run.child("checkpoints"))
