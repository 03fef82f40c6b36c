"""What a run says of its trials, outside a terminal."""

import io

import pytest
from optuna.trial import TrialState
from rich.console import Console

from tests.tune_jobs.engine.parts import make_info
from trainables.metrics import EpochMetrics
from tune_jobs.engine.progress import Progress
from tune_jobs.engine.record.listener import Ended, Past
from tune_jobs.engine.search.early_stopping import Never

INFO = make_info(epochs=2)


def metrics(epoch: int, value: float) -> EpochMetrics:
    return EpochMetrics(epoch=epoch, val_accuracy=value, val_loss=1.0, seconds=0.1)


def test_a_resumed_run_counts_the_trials_of_earlier_sessions() -> None:
    said = io.StringIO()
    earlier = [
        Ended("trial-0000", TrialState.COMPLETE, 0.9),
        Ended("trial-0001", TrialState.PRUNED, 0.95),
        Ended("retrain-0000-seed-1", TrialState.COMPLETE, 0.8),
    ]
    with Progress(INFO, Console(file=said, width=200)) as progress:
        progress.begin(4, Never(), earlier)
        progress.started("trial-0002", {}, Past())
        progress.training("trial-0002", 0)
        progress.reported("trial-0002", metrics(1, 0.5))
        progress.reported("trial-0002", metrics(2, 0.7))
        progress.ended("trial-0002", TrialState.COMPLETE, "full budget")
    lines = said.getvalue().splitlines()
    assert "search: first report: trial-0002  epoch 1/2  val 0.5000" in lines
    counts = "2 done, 0 running, 0 waiting, 1 stopped, 0 failed; best val 0.9000 (trial-0000)"
    assert f"trial-0002  epoch 2/2  val 0.7000: full budget  [search 3/4: {counts}; 0:00]" in lines
    assert lines[-1] == (
        "retrain 1: 1 done, 0 running, 0 waiting, 0 stopped, 0 failed; best val 0.8000 "
        "(retrain-0000-seed-1); 0:00"
    )


@pytest.mark.parametrize(
    ("num_classes", "told"),
    [
        (2, "classes: class 0, class 1"),
        (10, "classes: class 0, class 1, class 2, class 3, class 4, class 5, class 6, class 7, "
        "class 8, class 9"),
        (1203, "classes: class 0, class 1, class 2, class 3, class 4, class 5, class 6, class 7, "
        "class 8, class 9, ... and 1,193 more"),
    ],
)  # fmt: skip
def test_the_first_classes_are_named_at_the_start(num_classes: int, told: str) -> None:
    said = io.StringIO()
    info = make_info(class_names=tuple(f"class {k}" for k in range(num_classes)), notes=("one",))
    with Progress(info, Console(file=said, width=40)):
        pass
    assert said.getvalue().splitlines()[1:4] == ["digits", told, "note: one"]


def test_a_trial_without_a_report_waits_or_trains() -> None:
    said = io.StringIO()
    with Progress(INFO, Console(file=said, width=200)) as progress:
        progress.begin(4, Never(), [])
        for name in ("trial-0000", "trial-0001", "trial-0002"):
            progress.started(name, {}, Past())
        progress.training("trial-0000", 0)
        progress.training("trial-0001", 1)
        progress.ended("trial-0001", TrialState.FAIL, "its process died")
    counts = "0 done, 1 running, 1 waiting, 0 stopped, 1 failed; 0:00"
    assert f"trial-0001  epoch 1/2: its process died  [search 1/4: {counts}]" in said.getvalue()


def test_a_retraining_that_is_skipped_says_why_and_counts_as_stopped() -> None:
    said = io.StringIO()
    with Progress(INFO, Console(file=said, width=200)) as progress:
        progress.begin(4, Never(), [])
        progress.skipped("retrain-0002-seed-2", "lost to trial 3")
    counts = "0 done, 0 running, 0 waiting, 1 stopped, 0 failed; 0:00"
    line = f"retrain-0002-seed-2 is not trained: lost to trial 3  [retrain 1: {counts}]"
    assert line in said.getvalue()


def test_the_live_view_has_a_line_on_sources_and_epochs_at_chance() -> None:
    info = make_info(chance={"accuracy": 0.1})
    said = io.StringIO()
    with Progress(info, Console(file=said, force_terminal=True, width=100, height=30)) as progress:
        earlier = Ended(
            "trial-0000",
            TrialState.PRUNED,
            None,
            Past("uniform", [metrics(1, 0.1), metrics(2, 0.1)]),
        )
        progress.begin(4, Never(), [earlier])
        progress.started("trial-0001", {}, Past("centre", [metrics(1, 0.1)]))
        progress.reported("trial-0001", metrics(2, 0.7))
    line = "proposals: 1 from anywhere, 1 around the recipe; epochs at chance: 2 of 4"
    assert line in said.getvalue()
