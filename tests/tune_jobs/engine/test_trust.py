"""What makes a leaderboard worth believing, on one real run: kept, compared, repeated, rebuilt."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from trainables.datasets import load_dataset
from trainables.storage import open_storage
from trainables.trials.predictions import read_predictions
from tune_jobs import engine
from tune_jobs.digits_mlp import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.reproduce import Reproduced, Verdict, find_row, reproduce
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.run_result import RunResult
from tune_jobs.engine.run_state.folder import retraining_place
from tune_jobs.engine.stages.retrain import NOT_AFFORDED

pytestmark = pytest.mark.usefixtures("on_one_ray")


def run(storage: Path, **options: object) -> RunResult:
    given = {"epochs": 3, "retrain_seeds": 2, "precision": "fp32", "data_dir": storage / "data"}
    return engine.run(JOB, console=Console(quiet=True), storage=storage, **(given | options))


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def result(storage: Path) -> RunResult:
    """Five trials afford five pairs: two of the default, two of the best one, one of the next."""
    return run(storage, trials=5, scheduler="none", retrain_top=4, run_id="first")


def test_every_retrained_model_keeps_its_predictions(result: RunResult, storage: Path) -> None:
    data = load_dataset("digits", data_dir=storage / "data")
    for row in (row for row in result.rows if not row.ensemble):
        for seed, accuracy in zip(row.seeds or (), row.test_accuracy_per_seed, strict=True):
            place = retraining_place(open_storage(result.folder), row.trial_number, seed)
            kept = read_predictions(place)
            assert kept is not None
            np.testing.assert_array_equal(kept.indices_N, data.test_indices)
            np.testing.assert_array_equal(kept.labels_N, data.labels_N[data.test_indices])
            assert kept.correct_N.mean() == pytest.approx(accuracy)


def test_rows_say_how_far_they_can_be_trusted(result: RunResult) -> None:
    rows = [row for row in result.rows if not row.ensemble]
    assert sorted(row.num_seeds for row in rows) == [1, 2, 2]
    assert {row.tie_group for row in result.rows} <= {1, 2, 3, 4}
    for row in rows:
        assert row.test_accuracy is not None
        assert row.test_accuracy_low is not None
        assert row.test_accuracy_high is not None
        assert row.test_accuracy_low < row.test_accuracy < row.test_accuracy_high
        assert (row.num_failed_seeds, row.num_trials) == (0, 5)
        assert (row.gain is None) == (row.origin == "default")
        assert row.search_val_accuracy is not None
        assert row.selection_gap == row.search_val_accuracy - row.test_accuracy


def test_who_dropped_out_of_the_retraining_says_so(result: RunResult) -> None:
    [row] = [row for row in result.rows if row.dropped_out]
    assert (row.seeds, row.winner, row.dropped_out) == ((1,), False, NOT_AFFORDED)
    assert result.dropped is not None
    assert re.match(rf"trials? ({row.trial_number}|.*, \d).* not afforded: ", result.dropped)
    page = Path(str(result.report)).read_text()
    assert f"Trial {row.trial_number} dropped out: {NOT_AFFORDED}." in page


def test_rows_say_what_they_cost_and_where_they_come_from(result: RunResult) -> None:
    [default] = [row for row in result.rows if row.origin == "default"]
    assert default.multiply_adds == 8 * 8 * 256 + 256 * 128 + 128 * 10
    for row in result.rows:
        assert row.search_cpu_seconds is not None
        assert 0 < row.search_cpu_seconds < row.search_seconds * 8
        assert row.train_cpu_seconds == row.train_seconds
        assert row.peak_host_bytes is not None
        assert row.peak_host_bytes > 2**27
        assert row.latency_seconds is not None
        assert row.throughput is not None
        assert row.throughput > 1 / row.latency_seconds > 10
        assert json.loads(row.hardware or "{}")["cores"] >= 1
        assert isinstance(row.git_clean, bool) == (row.git_commit is not None)
        assert row.num_exact_duplicates == 0


def test_a_row_is_reproduced_to_the_bit(result: RunResult, storage: Path) -> None:
    row = find_row("first:0", storage)
    verdict = reproduce(row, storage)
    assert verdict.must_be_equal
    assert [seed.is_equal for seed in verdict.seeds] == [True, True]
    assert str(verdict) == "agrees to the bit"


def test_the_command_reproduces_a_row(result: RunResult, storage: Path) -> None:
    command = [sys.executable, "-m", "tune_jobs", "leaderboard", "reproduce", "first:0"]
    done = subprocess.run(
        [*command, "--storage", str(storage)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("equal to the bit") == 2
    assert done.stdout.endswith("the row agrees to the bit\n")


@pytest.mark.parametrize(
    ("found", "must_be_equal", "agrees", "said"),
    [
        (0.905, False, True, "agrees (within 0.01)"),
        (0.92, False, False, "differs (within 0.01)"),
        (0.905, True, False, "differs (must be equal to the bit)"),
    ],
)
def test_where_numbers_may_differ_a_seed_may_differ_a_little(
    found: float, must_be_equal: bool, agrees: bool, said: str
) -> None:
    seed = Reproduced(seed=1, recorded=0.9, found=found, is_equal=False)
    verdict = Verdict(seeds=[seed], must_be_equal=must_be_equal)
    assert (verdict.agrees, str(verdict)) == (agrees, said)


def test_a_row_that_claims_otherwise_differs(result: RunResult, storage: Path) -> None:
    import dataclasses

    false = dataclasses.replace(find_row("first:0", storage), test_accuracy_per_seed=(0.99, 0.99))
    verdict = reproduce(false, storage)
    assert not verdict.agrees


def test_a_row_is_named_by_any_unique_beginning(result: RunResult, storage: Path) -> None:
    assert find_row("digits_mlp/first:0", storage) == find_row("first:0", storage)
    with pytest.raises(RequestError, match="several rows begin so"):
        find_row("fir", storage)
    with pytest.raises(RequestError, match="no row begins so"):
        find_row("second", storage)


def test_a_damaged_part_is_rebuilt_from_its_run(result: RunResult, storage: Path) -> None:
    before = read_rows(storage).rows
    content = bytearray(Path(result.leaderboard).read_bytes())
    middle = len(content) // 3
    content[middle : middle + 64] = bytes(64)  # a single bit may lie where nothing is read
    Path(result.leaderboard).write_bytes(content)
    rows, [warning] = read_rows(storage)
    assert rows == []
    assert result.leaderboard in warning
    done = subprocess.run(
        [sys.executable, "-m", "tune_jobs", "leaderboard", "rebuild", result.folder],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == result.leaderboard
    assert read_rows(storage) == (before, [])


def test_what_is_no_run_cannot_be_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not the folder of a run"):
        rebuild(tmp_path)


def write_permuted_digits(folder: Path) -> Path:
    """The digits, each in the folder of a class drawn at random."""
    data = load_dataset("digits", data_dir=folder / "data")
    labels_N = np.random.default_rng(0).permutation(data.labels_N)
    for index, (image_HWC, label) in enumerate(zip(data.images_NHWC, labels_N, strict=True)):
        target = folder / "permuted" / str(label)
        target.mkdir(parents=True, exist_ok=True)
        file = io.BytesIO()
        Image.fromarray(image_HWC[..., 0]).save(file, "PNG")
        (target / f"{index}.png").write_bytes(file.getvalue())
    return folder / "permuted"


def test_with_permuted_labels_the_gap_shows_and_test_is_at_chance(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        dataset=f"folder:{write_permuted_digits(tmp_path)}",
        allow_duplicates=True,
        trials=20,
        epochs=1,
        scheduler="none",
        sampler="random",
    )
    found: list[Row] = [row for row in result.rows if row.origin == "search"]
    assert len(found) >= 2
    gaps = [row.selection_gap for row in found if row.selection_gap is not None]
    accuracies = [row.test_accuracy for row in found if row.test_accuracy is not None]
    assert np.mean(gaps) > 0
    assert np.mean(accuracies) == pytest.approx(0.1, abs=0.03)
    assert {row.tie_group for row in result.rows} == {1}
