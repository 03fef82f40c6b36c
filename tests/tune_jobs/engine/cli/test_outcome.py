"""The commands that a run names at its end."""

import io
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.cli.commands import build_parser
from tune_jobs.engine.cli.outcome import predict_command, resume_command, show_outcome
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.run_result import RunResult

EARLIER_RUNS = Path(__file__).parents[3] / "formats" / "c302f04"


@pytest.mark.parametrize(
    ("given", "trials", "words"),
    [
        ({}, None, ["--resume", "one"]),
        ({"trials": JOB.trials, "epochs": 3}, None, ["--epochs", "3", "--resume", "one"]),
        ({"trials": 6, "smoke": True}, None, ["--smoke", "--trials", "6", "--resume", "one"]),
        ({"trials": 6}, "N", ["--trials", "N", "--resume", "one"]),
        ({}, "N", ["--trials", "N", "--resume", "one"]),
    ],
)
def test_a_run_is_continued_by_what_was_given(
    given: dict[str, int], trials: str | None, words: list[str]
) -> None:
    options = Options.resolve(JOB, run_id="one", **given)
    command = shlex.split(resume_command(JOB, options, trials=trials))
    said = [word for word in command if word in words]
    assert said == words


def test_paths_are_printed_as_they_are() -> None:
    said = io.StringIO()
    folder = "/photos [v2]/[/final]"
    result = RunResult(
        storage=folder,
        folder=folder,
        study=None,
        leaderboard=folder,
        rows=read_rows(EARLIER_RUNS).rows[:1],
        report=f"{folder}/index.html",
        model=f"{folder}/model.safetensors",
    )
    show_outcome(result, shlex.join(["run", folder]), Console(file=said, width=80))
    assert said.getvalue().count(folder) == 5


def test_what_the_search_learned_is_a_line_each() -> None:
    said = io.StringIO()
    learned = {"proposals": "2 at [the] recipe", "mattered": "lr 0.75, " + "l2 0.20, " * 12}
    rows = read_rows(EARLIER_RUNS).rows[:1]
    result = RunResult(
        storage=".", folder=".", study=None, leaderboard=".", rows=rows, model=None, learned=learned
    )
    show_outcome(result, "run", Console(file=said, width=80))
    lines = [line.rstrip() for line in said.getvalue().splitlines()]
    for label, text in learned.items():
        assert f"{label:12} {text}".rstrip() in lines


def test_predict_is_named_as_its_help_does(capsys: pytest.CaptureFixture[str]) -> None:
    result = RunResult(storage=".", folder=".", study=None, leaderboard=".", rows=[], model="m")
    *_, what = predict_command(str(result.model))
    with pytest.raises(SystemExit):
        build_parser().parse_args(["predict", "--help"])
    assert f" {what} [{what} ...]" in capsys.readouterr().out
