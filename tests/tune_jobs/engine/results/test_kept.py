"""Files of a finished run that were removed to make room: nothing already computed is lost."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tune_jobs.engine.results.test_comparison import add, store
from trainables.storage import LocalStorage
from trainables.trials.predictions import PREDICTIONS
from tune_jobs.engine.results.comparison.boards import split_boards
from tune_jobs.engine.results.comparison.kept import keep_comparisons
from tune_jobs.engine.results.leaderboard import read_rows, read_run
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import place_of, retraining_place

MakeRow = Callable[..., Row]
FORMATS = Path(__file__).parents[3] / "formats" / "c302f04"


def make_rows(make_row: MakeRow) -> list[Row]:
    return [make_row(0.8, origin="published", trial_number=0), make_row(0.9, trial_number=1)]


def test_all_is_kept_where_the_results_are_the_same(
    tmp_path: Path, make_row: MakeRow, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_rows(make_row)
    for row in rows:
        store(tmp_path, row)
    before = add(tmp_path, rows)
    run = place_of(LocalStorage(tmp_path), rows[0].job, rows[0].run_id)
    assert keep_comparisons(before, [], run) == before
    assert not capsys.readouterr().err
    store_of_one = tmp_path / "runs" / rows[0].job / rows[0].run_id / "checkpoints"
    for folder in store_of_one.glob("retrain-0000-*"):
        shutil.rmtree(folder)
    poorer = add(tmp_path, rows)
    assert poorer[0].test_accuracy_low is None
    assert keep_comparisons(poorer, before, run) == before
    assert "trials 0 are not in the run's checkpoints/" in capsys.readouterr().err


def test_what_was_trained_anew_keeps_nothing(
    tmp_path: Path, make_row: MakeRow, capsys: pytest.CaptureFixture[str]
) -> None:
    row = make_row(0.9, test_accuracy_low=None)
    was = dataclasses.replace(row, seeds=(7, 8), test_accuracy_low=0.8, tie_group=1)
    assert keep_comparisons([row], [was], LocalStorage(tmp_path)) == [row]
    again = dataclasses.replace(was, seeds=row.seeds, test_accuracy_per_seed=(0.8, 0.9))
    assert keep_comparisons([row], [again], LocalStorage(tmp_path)) == [row]
    assert keep_comparisons([row], [], LocalStorage(tmp_path)) == [row]
    assert "no interval is left of them, and they have no rank" in capsys.readouterr().err


def test_a_rank_among_other_rows_is_not_kept(tmp_path: Path, make_row: MakeRow) -> None:
    first, second = make_rows(make_row)
    was = dataclasses.replace(first, test_accuracy_low=0.7, test_accuracy_high=0.9, tie_group=1)
    [kept, _] = keep_comparisons([first, second], [was], LocalStorage(tmp_path))
    assert (kept.test_accuracy_low, kept.test_accuracy_high, kept.tie_group) == (0.7, 0.9, None)


def test_what_is_computed_now_is_not_lost_to_what_was_not(
    tmp_path: Path, make_row: MakeRow
) -> None:
    """The predictions of one row are back, and those of the other gone."""
    now, gone = make_rows(make_row)
    now = dataclasses.replace(now, test_accuracy_low=0.75, test_accuracy_high=0.85)
    before = [
        dataclasses.replace(now, test_accuracy_low=None, test_accuracy_high=None),
        dataclasses.replace(gone, test_accuracy_low=0.85, test_accuracy_high=0.95),
    ]
    kept = keep_comparisons([now, gone], before, LocalStorage(tmp_path))
    assert [row.test_accuracy_low for row in kept] == [0.75, 0.85]


def test_a_gain_over_what_was_trained_anew_is_not_kept(tmp_path: Path, make_row: MakeRow) -> None:
    first, second = make_rows(make_row)
    ends: dict[str, Any] = {"test_accuracy_low": 0.7, "test_accuracy_high": 0.95}
    before = [
        dataclasses.replace(first, **ends, seeds=(7, 8)),
        dataclasses.replace(second, **ends, gain_over=0, gain=0.1, gain_p_value=0.01),
    ]
    [_, kept] = keep_comparisons([first, second], before, LocalStorage(tmp_path))
    assert (kept.test_accuracy_low, kept.gain_over, kept.gain) == (0.7, None, None)
    before[0] = dataclasses.replace(first, **ends)
    [_, kept] = keep_comparisons([first, second], before, LocalStorage(tmp_path))
    assert (kept.test_accuracy_low, kept.gain_over, kept.gain) == (0.7, 0, 0.1)


def test_a_rebuild_without_checkpoints_is_not_poorer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(FORMATS, tmp_path, dirs_exist_ok=True)
    run = tmp_path / "runs" / "network" / "ended"
    rebuild(run)
    before = read_run(LocalStorage(tmp_path), "network", "ended")
    assert all(row.test_accuracy_low for row in before)
    shutil.rmtree(run / "checkpoints")
    rebuild(run)
    assert read_run(LocalStorage(tmp_path), "network", "ended") == before
    assert "network/ended: predictions cannot be read: those of trials" in capsys.readouterr().err


def test_a_damaged_part_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = LocalStorage(tmp_path)
    assert read_run(storage, "job", "run") == []
    storage.write("leaderboards/job/run.parquet", b"no parquet")
    assert read_run(storage, "job", "run") == []
    assert "run.parquet is damaged" in capsys.readouterr().err
    assert read_rows(tmp_path).rows == []


def test_one_run_without_predictions_leaves_the_others_together(
    tmp_path: Path, make_row: MakeRow, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [make_row(0.9, run_id=name) for name in ("one", "three", "two")]
    for row in rows[:2]:
        store(tmp_path, row)
    boards = split_boards(rows, LocalStorage(tmp_path))
    assert [{row.run_id for row in board} for board in boards] == [{"one", "three"}, {"two"}]
    [said] = capsys.readouterr().err.splitlines()
    assert "digits_cnn/two: predictions of these runs cannot be read: they are not in" in said


def test_damaged_predictions_are_named_once_on_a_board(
    tmp_path: Path, make_row: MakeRow, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [make_row(0.9, run_id=name) for name in ("one", "three", "two")]
    for row in rows:
        store(tmp_path, row)
    run = place_of(LocalStorage(tmp_path), rows[2].job, rows[2].run_id)
    retraining_place(run, 1, 2).write(PREDICTIONS, b"PAR1")
    assert [len(board) for board in split_boards(rows, LocalStorage(tmp_path))] == [2, 1]
    [said] = capsys.readouterr().err.splitlines()
    assert "digits_cnn/two: predictions of these runs cannot be read: " in said
    assert "seed-2/predictions.parquet" in said
    assert "removed?" not in said


def test_damaged_predictions_are_named_once_by_a_rebuild(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(FORMATS, tmp_path, dirs_exist_ok=True)
    run = tmp_path / "runs" / "network" / "ended"
    rebuild(run)
    before = read_run(LocalStorage(tmp_path), "network", "ended")
    damaged = sorted(run.glob(f"checkpoints/*/{PREDICTIONS}"))[0]
    damaged.write_bytes(b"PAR1")
    rebuild(run)
    assert read_run(LocalStorage(tmp_path), "network", "ended") == before
    [said] = capsys.readouterr().err.splitlines()
    assert f"network/ended: predictions cannot be read: {damaged}: " in said
    assert "are those that were computed before, and the ranks too" in said
