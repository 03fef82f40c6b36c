"""SIGKILL of the driver: nothing acknowledged is lost, nothing is done twice, the result stays."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.faults.leaderboards import differing, results
from tests.faults.runs import Driver, Runs, end_of
from tune_jobs.engine.search.early_stopping import Asha, RungSettings

CLOCK = Path(__file__).parent / "clock"

TRIALS, EPOCHS, KILLS = 12, 5, 20

SEARCH = (
    *("--trials", str(TRIALS), "--epochs", str(EPOCHS)),
    *("--grace-period", "1", "--reduction-factor", "2", "--retrain-top", "2"),
    *("--retrain-seeds", "2"),
)


def check_reports(runs: Runs) -> None:
    """Each epoch once, in its order, under one sequence without gaps."""
    for trials in runs.reports().values():
        for reports in trials.values():
            epochs = [figures["epoch"] for figures in reports]
            assert epochs == list(range(1, len(epochs) + 1))
        sequence = [figures["sequence"] for reports in trials.values() for figures in reports]
        assert sorted(sequence) == list(range(1, len(sequence) + 1))


def check_rungs(runs: Runs) -> None:
    """Every decision is the one that the rule takes on the record, report by report."""
    rule = Asha(RungSettings(grace_period=1, reduction_factor=2, brackets=1, epochs=EPOCHS))
    trials = runs.trials()
    arrived = sorted(
        (figures["sequence"], number, figures["epoch"], figures["val_accuracy"])
        for number, reports in runs.reports()[f"faulty/{runs.folder().name}"].items()
        for figures in reports
        if figures["epoch"] < EPOCHS
    )
    goes_on = {(n, epoch): rule.goes_on(n, epoch, value) for _, n, epoch, value in arrived}
    for trial in trials:
        last = trial.last_step
        assert last is not None
        stopped = trial.state == TrialState.PRUNED
        assert stopped == (last < EPOCHS)
        assert all(goes_on[trial.number, epoch] for epoch in range(1, last))
        if stopped:
            assert not goes_on[trial.number, last]
            assert end_of(trial) == "stopped early"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, data: Path, address: str) -> Runs:
    runs = Runs(storage=tmp_path_factory.mktemp("undisturbed"), data=data, address=address)
    runs.run(*SEARCH)
    check_rungs(runs)
    return runs


def kill_at(driver: Driver, runs: Runs, size: int, pause: float) -> bytes:
    """Kill it once the journal has grown beyond `size` -> the acknowledged part of the journal."""
    driver.until(lambda: runs.size() >= size)
    time.sleep(pause)
    driver.kill()
    driver.wait()
    return runs.recorded()


def test_killed_at_random_moments_of_one_search(undisturbed: Runs, runs: Runs) -> None:
    draw = random.Random(4)
    whole = undisturbed.size()
    moments = sorted(draw.uniform(0, 0.95 * whole) for _ in range(KILLS))
    acknowledged, kills = b"", 0
    for moment in moments:
        driver = runs.start(*SEARCH)
        size = max(int(moment), runs.size() + 1)  # each session gets somewhere
        driver.until(lambda: runs.size() >= size or driver.process.poll() is not None)  # noqa: B023
        time.sleep(draw.uniform(0, 0.3))
        driver.kill()
        if driver.wait() == 0:
            break
        recorded = runs.recorded()
        assert recorded.startswith(acknowledged), "what was recorded has changed"
        acknowledged, kills = recorded, kills + 1
    runs.run(*SEARCH)
    assert kills >= KILLS - 2
    assert runs.recorded().startswith(acknowledged)
    assert len(runs.trials()) == TRIALS
    check_reports(runs)
    check_rungs(runs)
    assert differing(results(runs), results(undisturbed)) == []
    pairs = [(t.user_attrs["trial_number"], t.user_attrs["seed"]) for t in runs.trials("/retrain")]
    assert len(pairs) == len(set(pairs)), "a retraining that had ended was run again"


def test_killed_while_the_journal_is_being_written(undisturbed: Runs, runs: Runs) -> None:
    """The kernel ends the driver in the write that takes the journal beyond a random size."""
    import resource

    draw, whole = random.Random(0), undisturbed.size()
    recorded, torn = b"", 0
    for _ in range(4):
        driver = runs.start(*SEARCH, DIE_IN_A_WRITE="1")
        driver.until(lambda: len(runs.recorded()) > len(recorded))  # noqa: B023
        limit = runs.size() + draw.randint(4_000, whole // 6)
        resource.prlimit(driver.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        assert driver.wait() == -signal.SIGXFSZ, driver.said
        assert runs.size() == limit
        if torn:
            assert f"the record ended in a torn line, cut off: {torn} bytes" in driver.said
        assert runs.recorded().startswith(recorded)
        recorded = runs.recorded()
        torn = limit - len(recorded)
    runs.run(*SEARCH)
    assert runs.recorded().startswith(recorded)
    assert len(runs.trials()) == TRIALS
    check_reports(runs)
    check_rungs(runs)
    assert differing(results(runs), results(undisturbed)) == []


def test_killed_again_and_again_as_it_starts(make_runs: Callable[..., Runs], address: str) -> None:
    """Before there is anything to go on from, and while what there is is read back."""
    runs, draw = make_runs(address), random.Random(1)
    for _ in range(5):
        driver = runs.start()
        driver.until(runs.storage.exists)
        time.sleep(draw.uniform(0, 4))
        driver.kill()
        driver.wait()
    runs.run()
    assert len(runs.trials()) == 4
    check_reports(runs)


def test_the_clock_one_hour_back_in_the_second_session(undisturbed: Runs, runs: Runs) -> None:
    """The order of the record is that of its sequence."""
    driver = runs.start(*SEARCH)
    recorded = kill_at(driver, runs, undisturbed.size() // 2, 0)
    runs.run(*SEARCH, PYTHONPATH=f"{CLOCK}:{os.environ['PYTHONPATH']}", CLOCK_SHIFT="-3600")
    assert runs.recorded().startswith(recorded)
    trials = runs.trials()
    first, last = trials[0].datetime_start, trials[-1].datetime_start
    assert first
    assert last
    assert last < first, "the clock was not set back"
    check_reports(runs)
    check_rungs(runs)
    assert differing(results(runs), results(undisturbed)) == []
