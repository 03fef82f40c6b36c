"""The figures of a run's rows, from what an earlier version has recorded of each seed."""

import json
import shutil
from pathlib import Path

import pytest

from trainables.storage import LocalStorage
from tune_jobs.engine.results.leaderboard import read_run
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.row import Row

FORMATS = Path(__file__).parents[3] / "formats" / "c302f04"


def build(storage: Path, metric: str) -> dict[int, Row]:
    """The rows of a search for that metric, by trial; each was retrained with two seeds."""
    shutil.copytree(FORMATS, storage, dirs_exist_ok=True)
    run = storage / "runs" / "network" / "ended"
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "metric": metric}))
    rebuild(run)
    rows = read_run(LocalStorage(storage), "network", "ended")
    return {row.trial_number: row for row in rows}


def test_figures_are_means_over_seeds_and_the_gap_is_what_was_promised_too_much(
    tmp_path: Path,
) -> None:
    rows = build(tmp_path, "accuracy")
    assert [number for number, row in rows.items() if row.winner] == [4]
    row = rows[4]
    assert row.val_accuracy_per_seed == pytest.approx((0.925, 0.675))
    assert row.val_metric == row.val_accuracy == pytest.approx(0.8)
    assert row.test_accuracy_per_seed == pytest.approx((0.88579, 0.75766), abs=1e-5)
    assert row.test_metric == row.test_accuracy == pytest.approx(0.82173, abs=1e-5)
    assert row.test_metric_std == row.test_accuracy_std == pytest.approx(0.09060, abs=1e-5)
    assert row.search_val_metric == row.search_val_accuracy == pytest.approx(0.875)
    assert row.selection_gap == pytest.approx(0.875 - 0.82173, abs=1e-5)
    assert (row.seeds, row.num_seeds, row.num_failed_seeds) == ((1, 2), 2, 0)
    assert row.gain_over == 0
    assert row.gain == pytest.approx(0.82173 - 0.68802, abs=1e-5)


def test_of_a_loss_the_gap_and_the_gain_have_the_sign_of_an_accuracys(tmp_path: Path) -> None:
    rows = build(tmp_path, "log_loss")
    row = rows[4]
    assert row.winner
    assert row.val_metric == row.val_loss == pytest.approx(1.16522, abs=1e-5)
    assert row.test_metric == row.test_loss == pytest.approx(1.38867, abs=1e-5)
    assert row.selection_gap == pytest.approx(1.38867 - 0.83938, abs=1e-5)
    assert row.gain == pytest.approx(1.67592 - 1.38867, abs=1e-5)
