"""Which rows of leaderboards a run begins with, and what is refused."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tune_jobs.engine.parts import write_part
from trainables.config import Configuration
from trainables.registry import default_of
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.results.portfolio import MOST, choose_portfolio
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.info import PortfolioEntry
from tune_jobs.engine.stages.first import first_configurations

if TYPE_CHECKING:
    from optuna import Trial

MakeRow = Callable[..., Row]
DEFAULTS: Mapping[str, Configuration] = {"knn": default_of("knn", 4)}


def space(trial: "Trial") -> None:
    trial.suggest_int("k", 1, 20)


JOB = Job(name="new", dataset="digits", architecture="knn", space=space, trials=5, epochs=4)


@pytest.fixture
def make(make_row: MakeRow) -> Callable[..., Row]:
    """A row of `knn` with so many neighbours, by default from one search on one data set."""

    def make(k: int, val_accuracy: float | None = 0.8, **changes: Any) -> Row:
        values: dict[str, Any] = {
            "job": "old",
            "run_id": "a",
            "architecture": "knn",
            "trial_number": k,
            "config": json.dumps({**default_of("knn", 9), "k": k}),
            "val_accuracy": val_accuracy,
            "metric": "accuracy",
            "val_metric": val_accuracy,
        }
        return make_row(**(values | changes))

    return make


def choose(path: Path) -> tuple[tuple[PortfolioEntry, ...], list[str]]:
    return choose_portfolio(str(path), JOB, DEFAULTS, first_configurations(JOB, DEFAULTS))


def chosen(path: Path) -> list[int]:
    return [row.config["k"] for row in choose(path)[0]]


def refusal(path: Path) -> str:
    with pytest.raises(RequestError) as error:
        choose(path)
    said = str(error.value)
    assert said.startswith(f"--warm-start = {str(path)!r}: ")
    return said


def test_data_sets_take_turns_the_newest_first_and_test_chooses_nothing(
    make: MakeRow, tmp_path: Path
) -> None:
    newer = {"dataset_fingerprint": "c", "finished_at": datetime(2030, 1, 1, tzinfo=UTC)}
    write_part([make(1, 0.8, test_accuracy=0.1), make(2, 0.7, test_accuracy=0.9)], tmp_path)
    write_part([make(k, 0.1 + k / 100, run_id="b", **newer) for k in (3, 4, 7)], tmp_path)
    assert chosen(tmp_path) == [7, 1, 4, 2, 3]


def test_runs_on_one_data_set_are_ranked_together(make: MakeRow, tmp_path: Path) -> None:
    write_part([make(1, 0.8), make(2, 0.6)], tmp_path)
    write_part([make(3, 0.9, run_id="b"), make(4, 0.7, run_id="b")], tmp_path)
    assert chosen(tmp_path) == [3, 1, 4, 2]


def test_a_search_for_low_loss_is_ranked_by_loss(make: MakeRow, tmp_path: Path) -> None:
    rows = [make(k, 0.5, metric="log_loss", val_metric=loss) for k, loss in ((1, 2.0), (2, 0.3))]
    write_part(rows, tmp_path)
    assert chosen(tmp_path) == [2, 1]


def test_rows_of_an_early_version_are_ranked_by_accuracy(make: MakeRow, tmp_path: Path) -> None:
    rows = [make(k, accuracy, metric=None, val_metric=None) for k, accuracy in ((1, 0.3), (2, 0.4))]
    write_part([*rows, make(3, None, metric=None)], tmp_path)
    assert chosen(tmp_path) == [2, 1], "the third diverged"


def test_there_are_a_few_and_none_that_is_tried_anyway(make: MakeRow, tmp_path: Path) -> None:
    default = DEFAULTS["knn"]["k"]
    write_part([make(k, 1 - k / 100) for k in (default, *range(6, 20))], tmp_path)
    assert chosen(tmp_path) == list(range(6, 6 + MOST))
    write_part([make(default)], tmp_path)
    rows, notes = choose(tmp_path)
    assert rows == ()
    assert notes[0].endswith("the run tries all of its configurations anyway")


def test_two_that_the_space_cannot_tell_apart_are_one(make: MakeRow, tmp_path: Path) -> None:
    write_part([make(60, 0.9), make(50, 0.8), make(3, 0.7)], tmp_path)
    rows, notes = choose(tmp_path)
    assert [row.row for row in rows] == ["old/a:60", "old/a:3"]
    assert notes == [
        "--warm-start: a configuration is tried first, but k = 60: the space holds in [1, 20], "
        "and would train 20"
    ]


@pytest.mark.parametrize(
    "below", ["", "leaderboards", "leaderboards/old", "leaderboards/old/a.parquet"]
)
def test_the_path_is_a_storage_a_folder_in_it_or_a_part(
    make: MakeRow, tmp_path: Path, below: str
) -> None:
    write_part([make(7)], tmp_path)
    [entry], notes = choose(tmp_path / below)
    found = entry.found_in, entry.row, entry.dataset
    assert found == (str(tmp_path / below), "old/a:7", "digits")
    assert notes == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"k": 0}, "k = 0: must be at least 1"),
        ({"k": math.nan}, "k = nan: must be of type int"),
        ({"neighbours": 3}, "neighbours = 3"),
        ([], "must be a JSON object"),
        (None, "must be a JSON object"),
    ],
)
def test_what_breaks_a_rule_is_passed_over_and_named(
    make: MakeRow, tmp_path: Path, config: Any, named: str
) -> None:
    wrong = make(2, 0.9, config=json.dumps(config))
    write_part([wrong, make(3)], tmp_path)
    rows, notes = choose(tmp_path)
    assert [row.config["k"] for row in rows] == [3]
    [note] = notes
    assert note.startswith("--warm-start: row old/a:2 is passed over: ")
    assert named in note
    write_part([wrong], tmp_path)
    assert named in refusal(tmp_path)


def test_a_text_that_is_no_json_is_passed_over(make: MakeRow, tmp_path: Path) -> None:
    write_part([make(2, config="{"), make(3)], tmp_path)
    assert chosen(tmp_path) == [3]


def test_no_file_has_a_module_imported(
    make: MakeRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    config = json.dumps({"architecture": "evil", "k": 3})
    write_part([make(3, config=config), make(4, architecture="evil")], tmp_path)
    assert chosen(tmp_path) == [3], "as what the row says, which the job may train"


def test_a_damaged_part_is_named_and_hides_no_other(make: MakeRow, tmp_path: Path) -> None:
    write_part([make(7)], tmp_path)
    damaged = tmp_path / "leaderboards" / "old" / "b.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    rows, [note] = choose(tmp_path)
    assert len(rows) == 1
    assert note.startswith(f"--warm-start: {damaged} is damaged or no leaderboard")
    assert "is damaged or no leaderboard" in refusal(damaged)


def test_what_has_no_row_is_refused_with_what_there_is(make: MakeRow, tmp_path: Path) -> None:
    assert "there is no such file: give a leaderboard (" in refusal(tmp_path / "a.parquet")
    assert "there is no leaderboard: give a leaderboard (" in refusal(tmp_path / "missing")
    write_part([make(1, architecture="svm"), make(2, architecture="mlp")], tmp_path)
    assert "it has no row of knn, only of mlp, svm" in refusal(tmp_path)
    write_part([make(1, None)], tmp_path)
    assert "none of its rows has an accuracy" in refusal(tmp_path)


def test_a_place_that_cannot_be_opened_is_refused() -> None:
    with pytest.raises(RequestError, match=r"--warm-start = 'nothing://at/all': it cannot be read"):
        choose_portfolio("nothing://at/all", JOB, DEFAULTS, ())
