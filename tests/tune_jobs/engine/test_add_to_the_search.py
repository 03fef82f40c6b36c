"""A sampler, a stopping rule and a metric, added from outside the package and used in a run."""

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.samplers import QMCSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from trainables.features import Pixels
from trainables.metrics import METRICS, Metric
from tune_jobs import engine
from tune_jobs.engine import Job
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.reproduce import reproduce
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.run_result import RunResult
from tune_jobs.engine.results.table import build_columns, build_notes
from tune_jobs.engine.search.early_stopping import RULES, Never, RungSettings
from tune_jobs.engine.search.samplers import SAMPLERS

if TYPE_CHECKING:
    from optuna import Trial

pytestmark = pytest.mark.usefixtures("on_one_ray")


def space(trial: "Trial") -> None:
    trial.suggest_int("k", 1, 60)


JOB = Job(
    name="added",
    dataset="digits",
    architecture="knn",
    space=space,
    trials=5,
    epochs=4,
    features=Pixels(),
)


class StopFirst:
    """Stops each proposal at the first rung."""

    def __init__(self, settings: RungSettings) -> None:
        self._first = settings.grace_period

    def goes_on(self, number: int, epoch: int, score: float) -> bool:
        return epoch < self._first

    def rungs(self) -> dict[int, int]:
        return {self._first: 0}


def halton(seed: int, centre: Mapping[str, Any]) -> QMCSampler:
    """Quasi-random proposals, all from one sequence."""
    return QMCSampler(qmc_type="halton", seed=7, warn_asynchronous_seeding=False)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three entries: what a user's module would do as it is imported."""
    monkeypatch.setitem(SAMPLERS, "halton", halton)
    monkeypatch.setitem(RULES, "first", StopFirst)
    error = Metric("error", "val error", "minimize", lambda epoch: 1 - epoch.val_accuracy)
    monkeypatch.setitem(METRICS, "error", error)


def run(storage: Path, **options: Any) -> RunResult:
    given = {"train_size": 300, "retrain_top": 2, "retrain_seeds": 1, "max_parallel": 1}
    return engine.run(JOB, storage=str(storage), run_id="one", **{**given, **options})


def trials_of(storage: Path) -> list[FrozenTrial]:
    journal = JournalFileBackend(str(storage / "runs" / "added" / "one" / "study.journal"))
    return optuna.load_study(study_name="added/one", storage=JournalStorage(journal)).trials


@pytest.mark.usefixtures("added")
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_they_are_used(tmp_path: Path) -> None:
    result = run(tmp_path, sampler="halton", scheduler="first", metric="error")
    trials = trials_of(tmp_path)
    assert {trial.state for trial in trials} == {TrialState.PRUNED}
    assert {trial.last_step for trial in trials} == {1}
    assert [row.origin for row in result.rows] == ["default"], "it is retrained all the same"
    proposals = trials[1:]
    expected = optuna.create_study(sampler=halton(0, {}))
    drawn = [expected.ask() for _ in range(2)]
    for trial in drawn:
        space(trial)
    assert proposals[0].params["k"] in {trial.params["k"] for trial in drawn}
    accuracy = trials[0].user_attrs["epoch_1"]["val_accuracy"]
    assert trials[0].value == pytest.approx(1 - accuracy)
    assert {row.metric for row in result.rows} == {"error"}


METRIC = """
from trainables.metrics import Metric, add_metric


def miss(epoch):
    return 1 - epoch.val_accuracy


add_metric(Metric("miss", "val miss", "minimize", miss))
"""


def forget_metric() -> None:
    """What another process begins with."""
    METRICS.pop("miss", None)
    sys.modules.pop("my_metric", None)


def test_a_run_with_a_metric_of_ones_own_is_rebuilt_and_reproduced_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_metric.py").write_text(METRIC)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        importlib.import_module("my_metric")
        result = run(tmp_path, metric="miss")
        forget_metric()
        assert read_rows(rebuild(result.folder)).rows == result.rows
        forget_metric()
        assert reproduce(result.rows[0], tmp_path).agrees
    finally:
        forget_metric()


def test_a_metric_to_be_minimised_chooses_the_lowest(tmp_path: Path) -> None:
    """The loss of few neighbours is high: a class without a neighbour has the probability 0."""
    result = run(tmp_path, metric="log_loss", scheduler="none", sampler="random")
    trials = trials_of(tmp_path)
    losses = {trial.number: trial.user_attrs["epoch_4"]["val_loss"] for trial in trials}
    assert {trial.number: trial.value for trial in trials} == losses
    best = sorted(losses, key=lambda number: losses[number])[:2]
    rows = [row for row in result.rows if not row.ensemble]
    assert {row.trial_number for row in rows} == {*best, 0}
    reached = {row.trial_number: row.val_metric for row in rows}
    assert reached == {number: losses[number] for number in reached}, "the same seedless fit"
    [winner] = [row for row in result.rows if row.winner]
    assert winner.trial_number == best[0]
    assert {row.gain_over for row in rows} <= {0, None}
    assert "chosen by validation log loss" in " ".join(
        build_notes(result.rows, build_columns(result.rows))
    )


@pytest.mark.parametrize("metric", ["balanced_accuracy", "auroc"])
def test_the_metric_ranks_rows_on_test(tmp_path: Path, metric: str) -> None:
    result = run(tmp_path, metric=metric, scheduler="none", sampler="random", retrain_seeds=2)
    rows = [row for row in result.rows if not row.ensemble]
    values = {row.trial_number: getattr(row, f"val_{metric}") for row in rows}
    assert {row.trial_number: row.val_metric for row in rows} == values
    [winner] = [row for row in result.rows if row.winner]
    assert winner.val_metric == max(values.values())
    reached = [getattr(row, f"test_{metric}") for row in result.rows]
    assert [row.test_metric for row in result.rows] == reached == sorted(reached, reverse=True)
    for row in result.rows:
        assert row.interval is not None
        assert row.interval[0] < reached[result.rows.index(row)] < row.interval[1]
        assert row.tie_group is not None
    for row in rows:
        assert row.search_val_metric == row.val_metric, "the same seedless fit"
        assert row.selection_gap == pytest.approx((row.val_metric or 0) - (row.test_metric or 0))
    again = rebuild(tmp_path / "runs" / "added" / "one")
    assert read_rows(again).rows == result.rows


@pytest.mark.parametrize(
    ("option", "wrong", "known"),
    [
        ("sampler", "tpee", "prior, tpe, random (did you mean 'tpe'?)"),
        ("scheduler", "asah", "asha, median, none (did you mean 'asha'?)"),
        ("metric", "loss", "accuracy, balanced_accuracy, macro_f1, log_loss, auroc"),
        ("metric", "logloss", "accuracy, balanced_accuracy, macro_f1, log_loss, auroc (did you"),
    ],
)
def test_what_is_not_known_is_refused_by_name(option: str, wrong: str, known: str) -> None:
    with pytest.raises(RequestError) as error:
        Options.resolve(JOB, **{option: wrong})
    assert f"--{option} = {wrong!r}: must be one of {known}" in str(error.value)


def test_never_is_a_rule_like_any_other() -> None:
    settings = RungSettings(grace_period=1, reduction_factor=3, brackets=1, epochs=9)
    assert isinstance(RULES["none"](settings), Never)


def test_a_run_says_where_its_proposals_came_from(tmp_path: Path) -> None:
    result = run(tmp_path)
    first, *proposals = [trial.user_attrs.get("source") for trial in trials_of(tmp_path)]
    assert first is None, "nobody proposed it"
    assert set(proposals) <= {"centre", "incumbent", "model", "uniform"}
    told = re.findall(r"(\d+) [a-z ]+ \((?:best 0\.\d{4}|none)", result.learned["proposals"])
    assert sum(map(int, told)) == 1 + len(proposals) == 5
    assert result.learned["proposals"].startswith("1 at the recipe (best ")
