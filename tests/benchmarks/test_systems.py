"""The reports' systems: that they can run, what a second start does, what the page tells."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.systems.catalogue import SYSTEMS, Data, System
from benchmarks.systems.measure import link_aliens, measure_all
from benchmarks.systems.page import build_tables
from trainables.storage import LocalStorage
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.job_checks import check_job
from tune_jobs.engine.results.leaderboard import read_rows, write_rows
from tune_jobs.engine.results.row import Row

LEADERBOARD = Path(__file__).parents[1] / "formats/c302f04/leaderboards/network/ended.parquet"


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.job)
def test_the_job_of_a_system_is_sound_on_its_backbone(system: System) -> None:
    [job] = [job for job in catalogue() if job.name == system.job]
    check_job(system.on_backbone(job), system.epochs, None)


def test_no_job_is_run_twice() -> None:
    jobs = [system.job for system in SYSTEMS]
    assert len(set(jobs)) == len(jobs)


@pytest.mark.usefixtures("on_one_ray")
def test_another_start_measures_what_is_not_kept_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = System(
        job="digits_mlp", data=Data(spec="folder:{}/nothing", words=""), trials=1, epochs=1
    )
    sound = System(job="digits_linear", data=Data(spec="digits", words=""), trials=1, epochs=1)

    def start() -> list[tuple[System, bool]]:
        storage, kept = str(tmp_path / "runs"), tmp_path / "kept"
        return list(measure_all([broken, sound], data=tmp_path, storage=storage, kept=kept))

    assert start() == [(broken, False), (sound, True)]
    assert "digits_mlp: error: " in capsys.readouterr().out
    rows = read_rows(tmp_path / "kept").rows
    assert {(row.job, row.num_seeds) for row in rows if not row.ensemble} == {("digits_linear", 3)}
    assert start() == [(broken, False)]
    assert "digits_linear: measured before" in capsys.readouterr().out
    # A start that ended before it kept the leaderboard: the run goes on, and trains nothing anew.
    next((tmp_path / "kept").rglob("*.parquet")).unlink()
    assert start() == [(broken, False), (sound, True)]
    assert read_rows(tmp_path / "kept").rows == rows


def test_the_photographs_that_the_report_validates_on_are_tested_on(tmp_path: Path) -> None:
    for folder in ("train/alien", "validation/alien"):
        (tmp_path / "aliens" / folder).mkdir(parents=True)
    for _ in range(2):
        link_aliens(tmp_path)
    tested = tmp_path / "aliens-tested" / "test"
    assert tested.resolve() == tmp_path / "aliens" / "validation"
    assert {path.name for path in tested.parent.iterdir()} == {"train", "test"}


def keep(
    folder: Path, job: str, system: str, published: float, winner: float, tie: bool = False
) -> None:
    """A leaderboard of a run of the job, as a run of another job was written."""
    first, *_ = read_rows(LEADERBOARD).rows

    def row(accuracy: float, name: str | None, group: int) -> Row:
        shown = accuracy - 0.01, accuracy + 0.01
        return replace(
            first, job=job, run_id="systems-cpu", system=name, winner=name is None,
            test_accuracy=accuracy, test_accuracy_low=shown[0], test_accuracy_high=shown[1],
            metric="accuracy", test_metric_low=shown[0], test_metric_high=shown[1],
            tie_group=group,
        )  # fmt: skip

    write_rows(
        [row(winner, None, 1), row(published, system, 1 if tie else 2)], LocalStorage(folder)
    )


def line_of(tables: str, name: str) -> Sequence[str]:
    """The cells of the system's last line: figures on other data come after the report's."""
    lines = [line for line in tables.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in lines[-1].strip("|").split("|")]


def test_the_page_has_the_figures_of_the_leaderboards(tmp_path: Path) -> None:
    keep(tmp_path, "fashion_mlp", "3a", published=0.8, winner=0.85)
    keep(tmp_path, "mnist_cnn", "19", published=0.989, winner=0.9899, tie=True)
    keep(tmp_path, "fruits_mlp", "3b", published=0.5, winner=0.6)
    tables = build_tables(tmp_path)
    assert line_of(tables, "3a")[3:] == [
        "0.86 (test)",
        "0.800 (0.790 to 0.810)",
        "0.850 (0.840 to 0.860), below the report",
    ]
    assert line_of(tables, "19")[5] == "0.990 (0.980 to 1.000), not told apart, below the report"
    assert line_of(tables, "4b")[4] == "not measured yet"
    # What is of other data stands in a table without the report's figure.
    assert line_of(tables, "3b")[3:] == [
        "fruits-49 for Fruits-360",
        "0.500 (0.490 to 0.510)",
        "0.600 (0.590 to 0.610)",
    ]
    reported = next(line for line in tables.splitlines() if line.startswith("| 3b |"))
    assert "0.87 (test)" in reported
    assert "0.500" not in reported


def test_the_page_prefers_a_run_with_a_gpu(tmp_path: Path) -> None:
    keep(tmp_path, "fashion_mlp", "3a", published=0.8, winner=0.85)
    rows = read_rows(tmp_path).rows
    better = [replace(row, run_id="systems-gpu", test_accuracy=0.9) for row in rows]
    write_rows(better, LocalStorage(tmp_path))
    assert line_of(build_tables(tmp_path), "3a")[5].startswith("0.900 ")


def test_a_published_winner_is_said_to_be_it(tmp_path: Path) -> None:
    keep(tmp_path, "fashion_mlp", "3a", published=0.8, winner=0.85)
    rows = [replace(row, winner=row.system == "3a") for row in read_rows(tmp_path).rows]
    write_rows(rows, LocalStorage(tmp_path))
    told = line_of(build_tables(tmp_path), "3a")[5]
    assert told == "this one: the search found no better, below the report"
