from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from trainables.config import KeptEpoch
from trainables.config.quantities import large_number, seconds
from trainables.config.validation import from_json, to_json
from trainables.metrics import METRICS, Metric
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import SMOKE_TRIALS, UNLIMITED_TRIALS, Options


def test_the_job_gives_what_is_not_given() -> None:
    options = Options.resolve(JOB, trials=3)
    assert (options.trials, options.epochs, options.dataset) == (3, JOB.epochs, JOB.dataset)
    assert options.rung_settings.grace_period == JOB.epochs // 10


def test_time_alone_ends_a_search_that_has_a_budget() -> None:
    assert Options.resolve(JOB, time_budget=60).trials == UNLIMITED_TRIALS
    assert Options.resolve(JOB, time_budget=60, trials=5).trials == 5
    assert Options.resolve(JOB, time_budget=60, smoke=True).trials == SMOKE_TRIALS


def test_paths_may_be_strings_and_the_reverse() -> None:
    options = Options.resolve(JOB, storage=Path("here"), data_dir="there")
    assert (options.storage, options.data_dir) == ("here", Path("there"))


def test_every_run_gets_a_name_of_its_own() -> None:
    assert Options.resolve(JOB).run_id != Options.resolve(JOB).run_id


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"trials": 0}, "--trials = 0: must be at least 1"),
        ({"epochs": -1}, "--epochs = -1: must be at least 1"),
        ({"reduction_factor": 1}, "--reduction-factor = 1: must be at least 2"),
        ({"sampler": "grid"}, "--sampler = 'grid': must be one of prior, tpe, random"),
        ({"run_id": "../up"}, "--run-id = '../up': must be letters"),
        ({"resume": "a", "run_id": "b"}, "give one of them"),
        ({"log": "mlflow, wand"}, "'wand' is no tracker: name some of mlflow, wandb, with a comma"),
        ({"trails": 3}, "trails: there is no such option (did you mean 'trials'?)"),
        ({"trials": "many"}, "--trials = 'many': must be of type int"),
        ({"gpus_per_trial": 1.5}, "--gpus-per-trial = 1.5: must be at most 1, or a whole number"),
        ({"gpus_per_trial": -1}, "--gpus-per-trial = -1: must be at least 0 or one of auto"),
        ({"gpus_per_trial": "aut"}, "or one of auto (did you mean 'auto'?)"),
        ({"gpus_per_trial": 2, "workers_per_trial": 4}, "must be 1 for each of --gpus-per-trial"),
        ({"gpus_per_trial": "auto", "workers_per_trial": 2}, "must be 1 for each"),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_rule(given: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError) as error:
        Options.resolve(JOB, **given)
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("given", "workers"),
    [
        ({}, 1),
        ({"gpus_per_trial": 0.25}, 1),
        ({"gpus_per_trial": "auto"}, 1),
        ({"gpus_per_trial": 4}, 4),
        ({"workers_per_trial": 3}, 3),
        ({"workers_per_trial": 3, "gpus_per_trial": 0}, 3),
        ({"workers_per_trial": 2, "gpus_per_trial": 2}, 2),
    ],
)
def test_each_gpu_of_a_trial_has_a_worker(given: dict[str, Any], workers: int) -> None:
    options = Options.resolve(JOB, **given)
    assert options.workers == workers
    assert from_json(Options, to_json(options)) == options


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({"scheduler": "median", "reduction_factor": 3}, "--reduction-factor"),
        ({"scheduler": "median", "brackets": 2}, "--brackets"),
        (
            {"scheduler": "none", "grace_period": 1, "reduction_factor": 4, "brackets": 2},
            "--grace-period, --reduction-factor, --brackets",
        ),
    ],
)
def test_what_the_scheduler_would_not_read_is_refused(given: dict[str, Any], flags: str) -> None:
    with pytest.raises(RequestError) as error:
        Options.resolve(JOB, **given)
    assert str(error.value).startswith(
        f"{flags}: must not be given with --scheduler {given['scheduler']}"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"grace_period": 2, "reduction_factor": 4, "brackets": 2},
        {"scheduler": "median", "grace_period": 2},
        {"scheduler": "none", "grace_period": None},
    ],
)
def test_what_the_scheduler_reads_is_not(given: dict[str, Any]) -> None:
    Options.resolve(JOB, **given)


@pytest.mark.parametrize("option", fields(Options), ids=lambda option: option.name)
def test_help_is_a_phrase_that_can_be_read_alone(option: "Field[Any]") -> None:
    first, *others = option.metadata["help"].split()
    assert first not in ("a", "as", "asha:", "at", "over", "of", "so", "what", "where")
    assert others
    assert others[-1][-1] != "."


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(RequestError) as error:
        Options.resolve(JOB, trials=0, epochs=0)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1d", 86400), ("5ms", 0.005)],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_a_short_duration_is_read_as_it_is_printed() -> None:
    """The command that continues a run has it as a float of seconds."""
    assert seconds(str(seconds("0.05ms"))) == 5e-05


def test_a_duration_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="30m"):
        seconds("soon")


def test_a_target_is_a_fraction_where_the_metric_is_one() -> None:
    with pytest.raises(RequestError, match=r"--target = 95: must be a fraction .*: 95 % is 0.95"):
        Options.resolve(JOB, target=95.0)
    assert Options.resolve(JOB, target=1.5, metric="log_loss").target == 1.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1000", 1000), ("200k", 200_000), ("1.5M", 1_500_000), ("2G", 2 * 10**9)],
)
def test_large_numbers_are_read_as_they_are_written(text: str, expected: int) -> None:
    assert large_number(text) == expected


@pytest.mark.parametrize("text", ["", "M", "1m", "-1", "1 M"])
def test_what_is_no_large_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="also with k, M or G"):
        large_number(text)


def test_the_best_epoch_is_told_by_a_metric_that_workers_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {name for name, metric in METRICS.items() if metric.figure}
    assert set(get_args(KeptEpoch)) == {"last", *names}
    monkeypatch.setitem(METRICS, "speed", Metric("speed", "speed", "minimize", lambda m: m.seconds))
    with pytest.raises(RequestError, match="--keep = 'best': workers do not know --metric speed"):
        Options.resolve(JOB, metric="speed", keep="best")
    options = Options.resolve(JOB, metric="auroc", keep="best", class_weights="balanced")
    assert options.for_configurations == {"class_weights": "balanced", "keep": "auroc"}
