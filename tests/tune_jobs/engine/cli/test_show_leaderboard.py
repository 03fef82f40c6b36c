import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.tune_jobs.engine.parts import write_part
from tune_jobs.engine.cli.show_leaderboard import Format, show
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import build_baseline, format_number, render_table


def build_row(**changes: Any) -> Row:
    values: dict[str, Any] = {
        "run_id": "2026-01-02-a-rather-long-name-of-a-run",
        "job": "fashion_mobilenet_v2",
        "dataset": "fashion-mnist",
        "dataset_fingerprint": "a" * 64,
        "split_fingerprint": "b" * 64,
        "architecture": "mobilenet_v2",
        "origin": "published",
        "trial_number": 1234,
        "lr": 1.2345e-5,
        "l2": 6.789e-6,
        "batch_size": 1024,
        "dropout": 0.25,
        "optimizer": "sgd_nesterov",
        "schedule": "plateau",
        "epochs": 100,
        "config": '{"lr": 1.2345e-05, "note": "a|b"}',
        "num_parameters": 999_999_999,
        "search_val_accuracy": 0.9,
        "val_accuracy": 0.91239,
        "val_accuracy_per_seed": (0.9, 0.92478),
        "winner": False,
        "test_accuracy": 0.93456,
        "test_accuracy_low": 0.91,
        "test_accuracy_high": 0.96,
        "tie_group": 1,
        "gain": 0.0125,
        "multiply_adds": 1_234_567,
        "test_accuracy_std": 0.01234,
        "test_accuracy_per_seed": (0.92, 0.94912),
        "test_macro_f1": 0.92345,
        "test_loss": 0.3,
        "num_seeds": 2,
        "num_trials": 2_000,
        "train_seconds": 3.5,
        "search_seconds": 60.0,
        "device": "cpu",
        "precision": "fp32",
        "git_commit": None,
        "versions": '{"python": "3.11"}',
        "command": "python -m tune_jobs.fashion_mobilenet_v2",
        "finished_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return Row(**(values | changes))


ROWS = [
    build_row(),
    build_row(origin="search", trial_number=7, test_accuracy=0.92, winner=True, lr=0.01),
    *(
        build_row(origin="search", trial_number=n, test_accuracy=0.5, tie_group=2, gain=-0.3)
        for n in range(10, 18)
    ),
    build_row(
        origin="default",
        trial_number=0,
        lr=None,
        batch_size=None,
        optimizer=None,
        val_accuracy=None,
        test_accuracy=None,
        test_accuracy_low=None,
        test_accuracy_high=None,
        tie_group=None,
        gain=None,
        multiply_adds=None,
        test_accuracy_std=None,
        test_macro_f1=None,
        num_parameters=None,
    ),
]


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    write_part(ROWS, tmp_path)
    return tmp_path


def print_board(path: Path, format: Format, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO())
    show(path, format, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_table_fits_80_columns_and_cuts_nothing(storage: Path) -> None:
    text = print_board(storage, "table")
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "fashion_mobilenet_v2 on fashion-mnist" in text
    first, second, third, *_, last = text.splitlines()[2 : 2 + len(ROWS)]
    assert " ".join(first.split()) == (
        "1= 0.9346 0.9100-0.9600 0.9124 0.9000 +0.0125 published 1234 1.2M P 1000.0M"
    )
    assert [line.split()[0] for line in (second, third)] == ["*1=", "2="]
    assert "P" not in second
    assert " ".join(last.split()) == "- diverged - - 0.9000 - default 0 - -"


def test_the_marks_are_explained(storage: Path) -> None:
    caption = " ".join(print_board(storage, "table").split())
    for said in (
        "* the winner",
        "= shares its rank",
        "two seeds tell little apart: --retrain-seeds 3 or more",
        "P on the front",
        "gain: over",
        "2000 configurations tried",
    ):
        assert said in caption


def test_the_cost_is_that_of_one_seed(tmp_path: Path) -> None:
    """A row that dropped out has fewer; the features that a row is trained on are in its cost."""
    cost = {"multiply_adds": None, "features_seconds": 2.0}
    rows = [
        build_row(**cost, num_seeds=3, train_seconds=30.0),
        build_row(**cost, num_seeds=1, train_seconds=15.0, trial_number=7, test_accuracy=0.9),
    ]
    write_part(rows, tmp_path)
    first, second = print_board(tmp_path, "table").splitlines()[2:4]
    assert " 12 P " in first
    assert " 17 " in second
    assert "P" not in second


def test_a_mark_that_is_not_shown_is_not_explained(storage: Path) -> None:
    caption = " ".join(print_board(storage, "table", 50).split())
    assert "* the winner" in caption
    assert "P on the front" not in caption


def test_a_board_of_another_metric_says_which(tmp_path: Path) -> None:
    losses = {"metric": "log_loss", "val_metric": 0.2, "val_loss": 0.2, "search_val_metric": 0.25}
    rows = [
        build_row(**losses, test_loss=0.4, test_metric_low=0.3, test_metric_high=0.5),
        build_row(**losses, test_loss=0.3, trial_number=5, winner=True),
    ]
    write_part(rows, tmp_path)
    text = print_board(tmp_path, "table", 120)
    header, first, second = text.splitlines()[1:4]
    assert " ".join(header.split()).startswith(
        "# test log loss 95 % interval accuracy val search gain"
    )
    assert first.split()[:2] == ["*1=", "0.3000"]
    assert second.split()[:6] == ["1=", "0.4000", "0.3000-0.5000", "0.9346", "0.2000", "0.2500"]
    said = " ".join(text.split())
    assert "chosen by validation log loss" in said
    assert "P on the front of log loss against multiply-adds" in said


def test_what_exceeds_a_limit_is_marked(tmp_path: Path) -> None:
    said = "2,000 parameters, above --max-parameters 1,000"
    rows = [build_row(exceeds=said), build_row(test_accuracy=0.5, winner=True)]
    write_part(rows, tmp_path)
    text = print_board(tmp_path, "table")
    assert [line.split()[0] for line in text.splitlines()[2:4]] == ["!1=", "*1="]
    assert "! cannot win: it exceeds a limit of its run" in " ".join(text.split())


def test_what_a_report_claimed_stands_beside_it(tmp_path: Path) -> None:
    rows = [
        build_row(system="9", reported_accuracy=0.7, reported_metric="val, best"),
        build_row(origin="search", trial_number=3, winner=True),
    ]
    write_part(rows, tmp_path)
    header, *lines = print_board(tmp_path, "table", 220).splitlines()[1:4]
    assert "claimed" in header
    assert sum("0.7 val, best" in line for line in lines) == 1
    assert "claimed" not in "".join(print_board(tmp_path, "table", 80).splitlines()[1])


def test_rows_that_kept_no_predictions_are_counted(tmp_path: Path) -> None:
    rows = [build_row(tie_group=None), build_row(tie_group=None, test_accuracy=0.8, winner=True)]
    write_part(rows, tmp_path)
    lines = print_board(tmp_path, "table").splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["1", "*2"]


@pytest.mark.parametrize("width", [24, 50, 60, 80, 100, 220])
def test_a_table_has_the_columns_that_fit(storage: Path, width: int) -> None:
    text = print_board(storage, "table", width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "0.9346" in text
    assert ("0.9100-0.9600" in text) == (width >= 50)
    assert ("origin" in text) == (width >= 60)
    assert ("a-rather-long-name-of-a-run" in text) == (width == 220)


def test_each_data_set_has_its_own_table(storage: Path) -> None:
    write_part([build_row(job="[b]digits", dataset="digits")], storage)
    text = print_board(storage, "table")
    assert "[b]digits on digits" in text
    assert "fashion_mobilenet_v2 on fashion-mnist" in text


@pytest.mark.parametrize("format", ["table", "md"])
def test_each_data_set_says_what_its_commonest_class_reaches(
    tmp_path: Path, format: Format
) -> None:
    """A run of an early version did not record it, and says nothing."""
    known = {"majority_class": "coat", "majority_class_accuracy": 0.1}
    write_part([build_row(**known)], tmp_path)
    digits = {"majority_class": "7", "majority_class_accuracy": 0.10029}
    write_part([build_row(job="digits_cnn", dataset="digits", **digits)], tmp_path)
    write_part([build_row(job="stl10_cnn", dataset="stl10")], tmp_path)
    lines = [line.strip() for line in print_board(tmp_path, format).splitlines()]
    assert [line for line in lines if line.startswith("always")] == [
        "always answering '7', the commonest class: 0.1003",
        "always answering 'coat', the commonest class: 0.1000",
    ]


def test_on_a_board_with_an_early_run_the_others_say_it() -> None:
    known = build_row(majority_class="coat", majority_class_accuracy=0.1)
    assert build_baseline([build_row(run_id="early"), known]) == build_baseline([known])


def test_the_table_at_the_end_of_a_run_is_the_same(storage: Path) -> None:
    console = Console(width=80, file=io.StringIO())
    console.print(render_table(ROWS[::-1]))
    best = console.file.getvalue().splitlines()[2]  # type: ignore[attr-defined]
    assert best == print_board(storage, "table").splitlines()[2]


def test_markdown_is_one_github_table_per_board(storage: Path) -> None:
    lines = print_board(storage, "md").splitlines()
    assert lines[0] == "### fashion_mobilenet_v2 on fashion-mnist"
    header, rule, *rows = lines[2:]
    assert len(rows) == len(ROWS)
    assert {line.count("|") for line in (header, rule, *rows)} == {header.count("|")}
    assert rows[0].startswith(
        "| 1= | 0.9346 | 0.9100-0.9600 | 0.9124 | 0.9000 | +0.0125 | published |"
    )
    assert rows[1].startswith(r"| \*1= | ")


def test_json_has_every_column_with_objects_in_it(tmp_path: Path) -> None:
    objects = {"hardware": {"cores": 2}, "ensemble": [{"trial_number": 3, "seed": 1, "weight": 1}]}
    stored = {name: json.dumps(value) for name, value in objects.items()}
    storage = tmp_path
    write_part([build_row(**stored), *ROWS[1:]], storage)
    best, *_, last = json.loads(print_board(storage, "json"))
    assert list(best) == list(Row.__slots__)
    assert best["config"] == {"lr": 1.2345e-05, "note": "a|b"}
    assert best["versions"] == {"python": "3.11"}
    assert {name: best[name] for name in objects} == objects
    assert best["features"] is None
    assert best["test_accuracy_per_seed"] == [0.92, 0.94912]
    assert datetime.fromisoformat(best["finished_at"]) == ROWS[0].finished_at
    assert last["test_accuracy"] is None


def test_csv_has_every_column_unrounded(storage: Path) -> None:
    best, *others = csv.DictReader(io.StringIO(print_board(storage, "csv")))
    assert len(others) == len(ROWS) - 1
    assert list(best) == list(Row.__slots__)
    assert float(best["test_accuracy"]) == 0.93456
    assert json.loads(best["test_accuracy_per_seed"]) == [0.92, 0.94912]
    assert json.loads(best["config"])["note"] == "a|b"
    assert others[-1]["test_accuracy"] == ""


def test_csv_reads_back_as_the_rows_that_were_written(tmp_path: Path) -> None:
    """Every list column, whatever its name, is JSON."""
    row = build_row(seeds=(1, 2), val_accuracy_per_seed=(0.9, None))
    write_part([row], tmp_path)
    [line] = csv.DictReader(io.StringIO(print_board(tmp_path, "csv")))
    lists = [name for name in Row.__slots__ if isinstance(getattr(row, name), tuple)]
    assert {"seeds", "val_accuracy_per_seed", "test_accuracy_per_seed"} <= set(lists)
    for name in Row.__slots__:
        value = getattr(row, name)
        if name in lists:
            assert json.loads(line[name]) == list(value)
        elif isinstance(value, datetime):
            assert datetime.fromisoformat(line[name]) == value
        else:
            assert line[name] == ("" if value is None else str(value))


def test_a_damaged_part_is_named_beside_the_others(
    storage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = storage / "leaderboards" / "digits_cnn.parquet"
    damaged.write_bytes(b"PAR1 is not enough")
    assert len(json.loads(print_board(storage, "json"))) == len(ROWS)
    assert str(damaged) in capsys.readouterr().err


def test_a_path_without_rows_is_a_wrong_request(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RequestError, match="python -m tune_jobs") as error:
            print_board(path, "table")
        assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.2345e-5, "1.2e-05"),
        (0.0, "0"),
        (3.54, "3.5"),
        (99.4, "99"),
        (99.6, "100"),
        (1287.99, "1,288"),
    ],
)
def test_numbers_are_short_and_never_lose_their_units(value: float, shown: str) -> None:
    assert format_number(value) == shown
