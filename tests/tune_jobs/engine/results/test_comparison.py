"""What rows say of each other, from stored predictions; across runs too."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.metric_intervals import Setting, draw, evaluation_of
from trainables.metrics import METRICS
from trainables.storage import LocalStorage, StorageError, files_for, open_storage
from trainables.trials.predictions import PREDICTIONS, Predictions, write_predictions
from tune_jobs.engine.results.comparison.boards import (
    find_storage,
    pareto_front,
    sort_board,
    split_boards,
)
from tune_jobs.engine.results.comparison.row_statistics import (
    add_statistics,
    best_before,
    find_damage,
    read_answers,
)
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import place_of, retraining_place

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

NUM_EXAMPLES = 1000
MakeRow = Callable[..., Row]


def store(storage: Path, row: Row, *, first: int = 0) -> None:
    """Predictions of two classes that are correct as often as the row says, where it does."""
    run = place_of(LocalStorage(storage), row.job, row.run_id)
    labels_N = np.zeros(NUM_EXAMPLES, dtype=np.int64)
    for seed in row.seeds or ():
        wrong_N = np.random.default_rng(seed).random(NUM_EXAMPLES) >= (row.test_accuracy or 0)
        probabilities_N = wrong_N.astype(np.float32)
        predictions = Predictions(
            indices_N=np.arange(first, first + NUM_EXAMPLES),
            labels_N=labels_N,
            predicted_N=wrong_N.astype(np.int64),
            probabilities_NK=np.stack([1 - probabilities_N, probabilities_N], axis=1),
        )
        with files_for(retraining_place(run, row.trial_number, seed)) as folder:
            write_predictions(folder, predictions)


def add(storage: Path, rows: list[Row]) -> list[Row]:
    run = place_of(LocalStorage(storage), rows[0].job, rows[0].run_id)
    return add_statistics(rows, {row.trial_number: read_answers(run, row) for row in rows})


def test_rows_get_interval_gain_and_rank(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [
        make_row(0.80, origin="published", trial_number=0),
        make_row(0.95, trial_number=1),
        make_row(0.951, trial_number=2),
        make_row(None, trial_number=3, seeds=()),
    ]
    for row in rows:
        store(tmp_path, row)
    published, found, tied, diverged = add(tmp_path, rows)
    assert (published.tie_group, found.tie_group, tied.tie_group) == (2, 1, 1)
    assert diverged.tie_group is diverged.test_accuracy_low is diverged.gain is None
    assert published.gain is None
    assert found.gain_over == 0
    assert found.gain == pytest.approx(0.15, abs=0.03)
    assert found.gain_low is not None
    assert found.gain_high is not None
    assert 0 < found.gain_low < 0.15 < found.gain_high
    assert found.gain_p_value is not None
    assert found.gain_p_value < 1e-3
    assert found.test_accuracy_low is not None
    assert found.test_accuracy_high is not None
    assert 0.92 < found.test_accuracy_low < 0.95 < found.test_accuracy_high < 0.98


def test_the_interval_of_a_row_with_one_seed_is_as_wide_as_other_rows_seeds_vary(
    tmp_path: Path, make_row: MakeRow
) -> None:
    single, several = make_row(0.9, seeds=(1,)), make_row(0.9, trial_number=2, seeds=(1, 2, 3))
    store(tmp_path, single)
    for seed, accuracy in zip((1, 2, 3), (0.8, 0.9, 0.95), strict=True):
        store(tmp_path, replace(several, test_accuracy=accuracy, seeds=(seed,)))

    def width(row: Row) -> float:
        assert row.interval is not None
        return row.interval[1] - row.interval[0]

    [alone], [beside, _] = add(tmp_path, [single]), add(tmp_path, [single, several])
    assert width(beside) > 3 * width(alone)


def test_an_ensemble_is_compared_with_the_winners_best_seed(
    tmp_path: Path, make_row: MakeRow
) -> None:
    """Two of three models are right wherever two are; its interval knows of no seeds."""
    members = [{"trial_number": 1, "seed": seed, "weight": 1 / 3} for seed in (1, 2, 3)]
    winner = make_row(0.9, trial_number=1, seeds=(1, 2, 3), winner=True)
    rows = [
        make_row(0.8, trial_number=0, origin="published"),
        winner,
        make_row(trial_number=-1, origin="ensemble", seeds=None, ensemble=json.dumps(members)),
    ]
    store(tmp_path, rows[0])
    store(tmp_path, rows[1])
    run = place_of(LocalStorage(tmp_path), winner.job, winner.run_id)
    answers = {row.trial_number: read_answers(run, row) for row in rows}
    *_, row = add_statistics(rows, answers, best_seed=2)
    alone, joined = answers[1], answers[-1]
    assert alone is not None
    assert joined is not None
    np.testing.assert_array_equal(joined.correct_SN[0], alone.correct_SN.sum(axis=0) >= 2)
    single_N, joined_N = alone.correct_SN[2], joined.correct_SN[0]
    assert row.gain_over == 1
    assert row.gain == pytest.approx(joined_N.mean() - single_N.mean())
    discordant = int((single_N > joined_N).sum()), int((joined_N > single_N).sum())
    expected = binomtest(discordant[0], sum(discordant)).pvalue
    assert row.gain_p_value == pytest.approx(expected)
    assert row.interval is not None
    low, high = row.interval
    wilson = binomtest(int(joined_N.sum()), NUM_EXAMPLES).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=2e-4)
    assert row.tie_group is not None


def rows_of(storage: Path, make_row: MakeRow, metric: str) -> list[Row]:
    """A published row and a better one, whose predictions are stored."""
    rows = []
    for number, quality in enumerate((1.0, 2.0)):
        setting = Setting(quality, (0.6, 0.25, 0.15), NUM_EXAMPLES)
        [seeds] = draw(setting, [2], np.random.default_rng(0))  # the same noise for both
        figures = [asdict(evaluation_of(predictions)) for predictions in seeds]
        origin = "search" if number else "published"
        columns: dict[str, Any] = {
            f"test_{name}": fmean(f[name] for f in figures) for name in figures[0]
        }
        columns |= {"trial_number": number, "origin": origin, "metric": metric, "seeds": (1, 2)}
        rows.append(make_row(**columns))
        for seed, predictions in enumerate(seeds, start=1):
            run = place_of(LocalStorage(storage), rows[-1].job, rows[-1].run_id)
            with files_for(retraining_place(run, number, seed)) as folder:
                write_predictions(folder, predictions)
    return rows


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_gains_and_ranks_are_in_the_metric(
    tmp_path: Path, make_row: MakeRow, metric: str
) -> None:
    rows = rows_of(tmp_path, make_row, metric)
    published, found = add(tmp_path, rows)
    assert (published.tie_group, found.tie_group) == (2, 1)
    assert found.gain == pytest.approx(found.score - published.score, rel=1e-5)
    assert found.gain_low is not None
    assert found.gain_high is not None
    assert 0 < found.gain_low < found.score - published.score < found.gain_high
    assert found.interval is not None
    assert found.reached is not None
    assert found.interval[0] < found.reached < found.interval[1]
    assert found.test_accuracy_low is not None
    assert found.test_accuracy_high is not None
    assert found.test_accuracy is not None
    assert found.test_accuracy_low < found.test_accuracy < found.test_accuracy_high
    assert sort_board([published, found]) == [found, published]


def test_rows_of_another_metric_are_another_board(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [
        make_row(0.9),
        make_row(0.99, run_id="second", metric="auroc", test_auroc=0.9),
        make_row(0.99, run_id="third", metric="accuracy"),
        make_row(0.99, run_id="fourth", metric="of a module that is not imported"),
    ]
    for row in rows:
        store(tmp_path, replace(row, metric=None))
    boards = split_boards(rows[:1] + rows[2:], LocalStorage(tmp_path))
    assert [len(board) for board in boards] == [3]
    assert [len(board) for board in split_boards(rows, None)] == [1, 1, 1, 1]
    both = [
        *rows_of(tmp_path, make_row, "auroc"),
        *(replace(row, metric="log_loss") for row in rows_of(tmp_path, make_row, "auroc")),
    ]
    assert [len(board) for board in split_boards(both, LocalStorage(tmp_path))] == [2, 2]


def test_what_people_had_before_is_the_reference_that_validation_prefers(make_row: MakeRow) -> None:
    """Test chooses nothing; who dropped out has lost, and of equals the first is taken."""
    found = [
        (0, 0.95, 0.8, None),
        (2, 0.7, 0.9, None),
        (1, 0.7, 0.9, None),
        (3, 0.99, 0.99, "lost"),
    ]
    rows = [
        make_row(test, trial_number=number, val_accuracy=val, dropped_out=why, origin="published")
        for number, test, val, why in found
    ]
    better = make_row(0.99, trial_number=4, val_accuracy=0.99)
    assert best_before([*rows, better]) == 1
    assert best_before([better]) is None


def test_without_a_published_row_there_is_no_gain(tmp_path: Path, make_row: MakeRow) -> None:
    row = make_row(0.9)
    store(tmp_path, row)
    assert add(tmp_path, [row])[0].gain is None


def test_missing_or_damaged_predictions_leave_null(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [make_row(0.9, trial_number=n) for n in (1, 2, 3)]
    for row in rows:
        store(tmp_path, row)
    run = place_of(LocalStorage(tmp_path), "digits_cnn", "first")
    retraining_place(run, 1, 2).remove(PREDICTIONS)
    retraining_place(run, 2, 1).write(PREDICTIONS, b"no parquet")
    assert [row.tie_group for row in add(tmp_path, rows)] == [None, None, 1]


def test_models_that_answered_other_images_are_not_compared(
    tmp_path: Path, make_row: MakeRow
) -> None:
    row = make_row(0.9)
    store(tmp_path, row)
    store(tmp_path, replace(row, seeds=(2,)), first=1)
    assert add(tmp_path, [row])[0].interval is None


def test_an_ensembles_answers_are_those_of_the_weighted_mean(
    tmp_path: Path, make_row: MakeRow
) -> None:
    """The first member outweighs the others."""
    weights = zip((1, 2, 3), (0.6, 0.2, 0.2), strict=True)
    members = [{"trial_number": 1, "seed": seed, "weight": weight} for seed, weight in weights]
    single = make_row(0.9, trial_number=1, seeds=(1, 2, 3))
    store(tmp_path, single)
    joined = replace(single, trial_number=-1, seeds=None, ensemble=json.dumps(members))
    run = place_of(LocalStorage(tmp_path), single.job, single.run_id)
    alone, together = read_answers(run, single), read_answers(run, joined)
    assert alone is not None
    assert together is not None
    np.testing.assert_array_equal(together.correct_SN[0], alone.correct_SN[0])


def test_runs_on_the_same_split_share_a_board_with_ranks_of_its_own(
    tmp_path: Path, make_row: MakeRow
) -> None:
    first = [make_row(0.90, tie_group=1), make_row(0.80, trial_number=2, tie_group=2)]
    second = [make_row(0.99, job="digits_mlp", tie_group=1)]
    for row in (*first, *second):
        store(tmp_path, row)
    diverged = make_row(None, trial_number=3, seeds=())
    [board] = split_boards([*first, *second, diverged], LocalStorage(tmp_path))
    assert [(row.job, row.tie_group) for row in board] == [
        ("digits_mlp", 1),
        ("digits_cnn", 2),
        ("digits_cnn", 3),
        ("digits_cnn", None),
    ]


def test_without_predictions_each_run_is_ranked_by_itself(
    tmp_path: Path, make_row: MakeRow
) -> None:
    rows = [make_row(0.9, tie_group=1), make_row(0.99, job="digits_mlp", tie_group=1)]
    assert [len(board) for board in split_boards(rows, None)] == [1, 1]
    assert [len(board) for board in split_boards(rows, LocalStorage(tmp_path))] == [1, 1]


def test_another_split_is_another_board(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [make_row(0.9), make_row(0.99, run_id="second", split_fingerprint="c")]
    for row in rows:
        store(tmp_path, row)
    assert [len(board) for board in split_boards(rows, LocalStorage(tmp_path))] == [1, 1]


def test_runs_whose_test_images_differ_are_not_compared(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [make_row(0.9), make_row(0.99, run_id="second")]
    store(tmp_path, rows[0])
    store(tmp_path, rows[1], first=5)
    assert [len(board) for board in split_boards(rows, LocalStorage(tmp_path))] == [1, 1]


def test_storage_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    part = tmp_path / "leaderboards" / "job" / "part.parquet"
    part.parent.mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    assert all(find_storage(p) == LocalStorage(tmp_path) for p in (tmp_path, part.parent, part))


def test_the_front_holds_what_nothing_beats() -> None:
    costs = [1.0, 2.0, 2.0, 3.0, None, 4.0, 1.0]
    scores = [0.5, 0.6, 0.7, 0.7, 0.9, -math.inf, 0.5]
    assert pareto_front(costs, scores) == [True, False, True, False, False, False, True]


def test_a_store_that_is_away_is_not_a_configuration_without_predictions(
    s3_server: "ThreadedMotoServer", bucket: str, make_row: MakeRow
) -> None:
    """Or its row would be written without interval and rank, as final."""
    place = open_storage(bucket).child("away")
    s3_server.stop()
    try:
        with pytest.raises(StorageError):
            read_answers(place, make_row())
        with pytest.raises(StorageError):
            read_rows(bucket)
    finally:
        s3_server.start()
    assert read_answers(place, make_row()) is None


def test_damaged_predictions_are_named(tmp_path: Path, make_row: MakeRow) -> None:
    row = make_row(0.9)
    store(tmp_path, row)
    run = place_of(LocalStorage(tmp_path), row.job, row.run_id)
    assert find_damage(run, row) is None
    retraining_place(run, row.trial_number, 2).write(PREDICTIONS, b"PAR1")
    assert read_answers(run, row) is None
    assert "seed-2/predictions.parquet" in (find_damage(run, row) or "")
