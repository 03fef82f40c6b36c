"""The commands that a run names at its end."""

import shlex

import pytest

from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.cli.outcome import resume_command
from tune_jobs.engine.options import Options


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
