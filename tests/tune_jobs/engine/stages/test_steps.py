"""A run's tasks from the probe to the last retraining, whatever does them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from optuna.trial import TrialState

from searchspaces.joined import JoinedSpace
from tests.tune_jobs.engine.parts import make_info
from tests.tune_jobs.engine.stages.searches import report
from trainables.config import Runtime
from trainables.registry import default_of
from trainables.storage import LocalStorage
from trainables.trials.report import ErrorReport, ProbeReport, StorageFailure, TrainingCost
from trainables.trials.task import ProbeTask, Stage, TrialTask
from tune_jobs.engine.errors import RunError
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.options import SMOKE_TRIALS, Options
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import PortfolioEntry
from tune_jobs.engine.stages.first import FirstConfiguration
from tune_jobs.engine.stages.plan import CheckedJob, RunRequest
from tune_jobs.engine.stages.steps import Steps

if TYPE_CHECKING:
    from optuna import Trial

CPU = Runtime(device="cpu")


def space(trial: "Trial") -> None:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)


def neighbours(trial: "Trial") -> None:
    trial.suggest_int("k", 1, 20)


def nothing(trial: "Trial") -> None: ...


ONE = Job(name="job", dataset="digits", architecture="mlp", space=space, trials=6, epochs=4)
TWO = replace(ONE, space=JoinedSpace({"linear": space, "mlp": space}))
REPORTED = replace(
    ONE, published=tuple(Published(name=name, config={"lr": 0.01}) for name in ("1", "2"))
)


def open_steps(
    folder: Path,
    job: Job,
    *,
    info: Any = None,
    forked: Sequence[FirstConfiguration] = (),
    **options: Any,
) -> Steps:
    """Those of a search whose every epoch is a rung, and the upper half of the trials goes on."""
    given = {"grace_period": 1, "reduction_factor": 2, "sampler": "random", **options}
    resolved = Options.resolve(job, run_id="run", storage=folder, **given)
    defaults = {name: default_of(name, job.epochs) for name in job.architectures}
    request = RunRequest(
        job=job,
        options=resolved,
        folder=RunFolder(LocalStorage(folder), folder),
        studies=open_journal(folder / "study.journal"),
        checked=CheckedJob(
            distributions={}, proposals=tuple(defaults.values()), defaults=defaults, notes=()
        ),
        forked=forked,
    )
    changes = {"job": job.name, "options": resolved, "default_configs": defaults, **(info or {})}
    return Steps(request, make_info(**changes), [], lambda: 4)


def trial_of(steps: Steps) -> TrialTask:
    task = steps.next_task()
    assert isinstance(task, TrialTask)
    return task


def test_the_probe_comes_first_and_a_resumed_run_keeps_what_it_found(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, ONE)
    probe = steps.next_task()
    assert isinstance(probe, ProbeTask)
    assert steps.next_task() is None, "the first trial waits for it"
    assert not steps.on_report(probe, ProbeReport(runtime=CPU))
    info = steps._request.folder.read_info()
    assert info
    assert info.runtime == CPU
    assert trial_of(steps).runtime == CPU
    assert trial_of(open_steps(tmp_path, ONE, info={"runtime": CPU})).number == 0


def test_the_probe_measures_the_dearest_network_or_the_first_report(tmp_path: Path) -> None:
    first, second = REPORTED.published
    reports = (replace(first, config={"lr": 0.05}), second)
    found = {}
    for job, precision in ((TWO, "auto"), (replace(REPORTED, published=reports), "fp32")):
        folder = tmp_path / precision
        folder.mkdir()
        probe = open_steps(folder, job, precision=precision).next_task()
        assert isinstance(probe, ProbeTask)
        found[precision] = probe
    dearest, reported = found.values()
    assert (dearest.config["architecture"], dearest.precision) == ("mlp", None)
    assert (reported.config["lr"], reported.precision, reported.defaults) == (0.05, "fp32", ())


def test_estimators_alone_need_no_probe(tmp_path: Path) -> None:
    """Of several architectures the costs are to be measured."""
    estimator = replace(ONE, architecture="knn", space=neighbours)
    assert trial_of(open_steps(tmp_path, estimator)).runtime == CPU
    joined = replace(estimator, space=JoinedSpace({"knn": neighbours, "svm": nothing}))
    for number, job in enumerate((joined, replace(joined, space=TWO.space, architecture="mlp"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        steps = open_steps(folder, job)
        probe = steps.next_task()
        assert isinstance(probe, ProbeTask)
        assert [config["architecture"] for config in probe.defaults] == list(job.architectures)
        with pytest.raises(RunError, match="no worker has told how a trial trains here"):
            _ = steps.stages


def test_the_only_architecture_of_a_joined_space_is_measured_too(tmp_path: Path) -> None:
    """How many epochs there is time for depends on it."""
    alone = replace(TWO, space=JoinedSpace({"mlp": space}), architecture="mlp")
    probe = open_steps(tmp_path, alone).next_task()
    assert isinstance(probe, ProbeTask)
    assert [config["architecture"] for config in probe.defaults] == ["mlp"]


def test_the_checkpoint_that_a_retraining_goes_on_from_outlives_the_session(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, ONE)
    probe = steps.next_task()
    assert probe
    steps.on_report(probe, ProbeReport(runtime=CPU))
    task = trial_of(steps)
    assert (task.seed, task.goes_on_as) == (1, "retrain-0000-seed-1")
    ours, others = (tmp_path / "checkpoints" / name for name in (task.goes_on_as, "retrain-1"))
    for place in (ours, others):
        place.mkdir(parents=True)
        (place / "000002.pt").touch()
    open_steps(tmp_path, ONE, info={"runtime": CPU})
    assert (ours / "000002.pt").exists()
    assert not (others / "000002.pt").exists()


def test_an_architecture_trains_in_its_own_arithmetic(tmp_path: Path) -> None:
    """One that the probe has measured nothing of trains in the run's."""
    own = replace(CPU, precision="bf16", channels_last=True)
    costs = {"mlp": TrainingCost(multiply_adds=1, epoch_seconds=1.0, runtime=own)}
    steps = open_steps(tmp_path, TWO, trials=2, retrain_seeds=1)
    probe = steps.next_task()
    assert probe
    steps.on_report(probe, ProbeReport(runtime=CPU, costs=costs))
    info = steps._request.folder.read_info()
    assert info
    for resumed in (steps, open_steps(tmp_path, TWO, info={"runtime": CPU, "costs": info.costs})):
        tasks = [trial_of(resumed) for _ in range(2)]
        found = {task.config["architecture"]: task.runtime for task in tasks}
        assert found == {"linear": CPU, "mlp": own}
    assert info.runtime_of("mlp").describe() == "bf16 channels_last"


def test_what_the_probe_cannot_train_ends_the_run(tmp_path: Path) -> None:
    for name in ("report", "failure"):
        (tmp_path / name).mkdir()
        steps = open_steps(tmp_path / name, ONE)
        probe = steps.next_task()
        assert probe
        if name == "report":
            assert not steps.on_report(probe, ErrorReport("lr = -1: too low"))
        else:
            steps.on_failure(probe, "lr = -1: too low")
        assert steps.finished
        assert steps.next_task() is None
        assert "lr = -1: too low" in str(steps.error)


@pytest.mark.parametrize(("budget", "refused"), [(30.0, True), (50.0, False), (None, False)])
def test_features_that_take_longer_than_the_time_budget_are_refused(
    tmp_path: Path, budget: float | None, refused: bool
) -> None:
    features = TrainingCost(multiply_adds=None, epoch_seconds=0.0, features_seconds=40.0)
    network = TrainingCost(multiply_adds=1, epoch_seconds=1.0)
    costs = {"linear": features, "mlp": features}
    found = {}
    for name, cost in (("features", features), ("network", network)):
        (tmp_path / name).mkdir()
        steps = open_steps(tmp_path / name, TWO, time_budget=budget)
        probe = steps.next_task()
        assert probe
        steps.on_report(probe, ProbeReport(runtime=CPU, costs={**costs, "mlp": cost}))
        found[name] = steps
    assert isinstance(found["network"].next_task(), TrialTask)
    assert (found["features"].next_task() is None) == refused
    if refused:
        said = "--time-budget = 30s: the features of linear, mlp take an estimated 40 s here"
        assert said in str(found["features"].error)


def test_after_the_search_its_best_is_retrained_and_the_run_ends(tmp_path: Path) -> None:
    """Also if a session ends amid each."""
    checkpoints = LocalStorage(tmp_path / "checkpoints")
    steps = open_steps(tmp_path, ONE, info={"runtime": CPU}, trials=1, retrain_seeds=1)
    for stage in Stage:
        task = trial_of(steps)
        assert task.stage is stage
        checkpoints.write(f"{task.name}/000001.pt", b"")
        assert steps.on_report(task, report(1, 0.9))
        steps = open_steps(tmp_path, ONE, info={"runtime": CPU}, trials=1, retrain_seeds=1)
        again = trial_of(steps)
        assert (again.name, again.epochs_reported) == (task.name, 1)
        assert checkpoints.names() == [f"{task.name}/000001.pt"], "it goes on from there"
        goes_on = [steps.on_report(again, report(epoch, 0.9)) for epoch in (2, 3, 4)]
        assert goes_on == [True, True, False]
    assert steps.next_task() is None
    assert steps.finished
    assert [len(record.trials(TrialState.COMPLETE)) for record in steps.records] == [1, 1]


def test_an_end_drops_checkpoints_and_keeps_what_was_exported(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, ONE, info={"runtime": CPU})
    checkpoints = LocalStorage(tmp_path / "checkpoints")
    tasks = [trial_of(steps) for _ in range(3)]
    for task in tasks:
        for file in ("000001.pt", "model.safetensors"):
            checkpoints.write(f"{task.name}/{file}", b"")
    assert steps.on_report(tasks[0], report(1, 0.9))
    assert not steps.on_report(tasks[1], report(1, 0.1))
    assert not steps.on_report(tasks[2], ErrorReport("hidden = 0: must be at least 1"))
    assert [name for name in checkpoints.names() if name.endswith(".pt")] == [
        f"{tasks[0].name}/000001.pt"
    ]
    assert len(checkpoints.names()) == 4
    checkpoints.write(f"{tasks[1].name}/000001.pt", b"")  # as if the session had died before
    open_steps(tmp_path, ONE, info={"runtime": CPU})
    assert [name for name in checkpoints.names() if name.endswith(".pt")] == [
        f"{tasks[0].name}/000001.pt"
    ]
    [failed] = steps.stages.search.record.trials(TrialState.FAIL)
    assert failed.end_reason == "hidden = 0: must be at least 1"


def test_a_full_disk_is_no_trials_fault(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, ONE, info={"runtime": CPU})
    task = trial_of(steps)
    with pytest.raises(RunError, match="a worker could not write: No space left"):
        steps.on_report(task, StorageFailure("No space left"))
    assert [trial.state for trial in steps.stages.search.record.trials()][:1] == [
        TrialState.RUNNING
    ]


def test_at_rungs_an_architecture_is_compared_with_itself(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, TWO, info={"runtime": CPU})
    tasks = defaultdict(list)
    for _ in range(6):
        task = trial_of(steps)
        tasks[task.config["architecture"]].append(task)
    assert {name: len(found) for name, found in tasks.items()} == {"linear": 3, "mlp": 3}
    for place in range(3):
        assert steps.on_report(tasks["linear"][place], report(1, 0.9 + place / 100))
    values = (0.1, 0.09, 0.1)
    goes_on = [
        steps.on_report(task, report(1, value))
        for task, value in zip(tasks["mlp"], values, strict=True)
    ]
    assert goes_on == [True, False, True]
    assert steps.rule.rungs()[1] == 6


def test_at_rungs_a_report_is_compared_with_reports(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, REPORTED, info={"runtime": CPU})
    values = (0.9, 0.8, 0.2, 0.1)
    goes_on = [steps.on_report(trial_of(steps), report(1, value)) for value in values]
    assert goes_on == [True, False, True, False]


def test_what_is_tried_first_has_its_order(tmp_path: Path) -> None:
    """The cheapest default, as the probe has counted, then configurations of another run, then rows
    of other leaderboards; all of them, though one trial was asked for."""
    costs = {
        name: TrainingCost(multiply_adds=count, epoch_seconds=1.0)
        for name, count in (("linear", 20), ("mlp", 10))
    }
    entry = PortfolioEntry(
        found_in="a", row="job/run:1", dataset="digits", config={"lr": 0.05, "architecture": "mlp"}
    )
    info = {"runtime": CPU, "costs": costs, "portfolio": (entry,)}
    fork = {**default_of("mlp", 4), "lr": 0.07}
    forked = [FirstConfiguration(config=fork, origin="search", source="fork")]
    steps = open_steps(tmp_path, TWO, info=info, forked=forked, trials=1)
    first = [(t.origin, t.params["architecture"]) for t in steps.stages.search.record.trials()]
    assert first == [
        ("default", "mlp"),
        ("default", "linear"),
        ("search", "mlp"),
        ("search", "mlp"),
    ]
    assert [trial_of(steps).config["lr"] for _ in range(4)][2:] == [0.07, 0.05]


def test_with_a_time_budget_the_default_comes_first_that_takes_the_least_of_it(
    tmp_path: Path,
) -> None:
    """A frozen network of 100 s, one of four epochs of 30 s, and one of 20 s with more to count."""
    three = JoinedSpace({"svm": nothing, "linear": space, "mlp": space})
    job = replace(ONE, space=three, architecture="svm")
    costs = {
        "svm": TrainingCost(multiply_adds=None, epoch_seconds=0.0, features_seconds=100.0),
        "linear": TrainingCost(multiply_adds=10, epoch_seconds=30.0),
        "mlp": TrainingCost(multiply_adds=11, epoch_seconds=20.0),
    }
    for budget, expected in ((None, ["svm", "linear", "mlp"]), (9000.0, ["mlp", "svm", "linear"])):
        folder = tmp_path / str(budget)
        folder.mkdir()
        info = {"runtime": CPU, "costs": costs}
        steps = open_steps(folder, job, info=info, time_budget=budget)
        waiting = steps.stages.search.record.trials()
        assert [trial.params["architecture"] for trial in waiting] == expected


def test_reports_come_before_the_recipe(tmp_path: Path) -> None:
    steps = open_steps(tmp_path, REPORTED, info={"runtime": CPU}, trials=3)
    origins = [(t.origin, t.source) for t in steps.stages.search.record.trials()]
    assert origins == [("published", ""), ("published", ""), ("search", "recipe")]
    (tmp_path / "few").mkdir()
    steps = open_steps(tmp_path / "few", REPORTED, info={"runtime": CPU}, trials=2)
    assert len(steps.stages.search.record.trials()) == 2, "of reports alone"


def test_a_smoke_test_leaves_a_trial_for_the_sampler(tmp_path: Path) -> None:
    names = [str(number) for number in range(9)]
    many = tuple(Published(name=name, config={"lr": 0.01}) for name in names)
    job = replace(REPORTED, published=many)
    steps = open_steps(tmp_path, job, info={"runtime": CPU}, smoke=True)
    origins = [trial.origin for trial in steps.stages.search.record.trials()]
    assert origins.count("published") == SMOKE_TRIALS - 1


@pytest.mark.parametrize(
    ("metric", "given", "score"),
    [("accuracy", 0.3, 0.3), ("log_loss", 0.3, -0.3), ("log_loss", None, None)],
)
def test_a_target_is_reached_from_the_side_of_its_metric(
    tmp_path: Path, metric: str, given: float | None, score: float | None
) -> None:
    steps = open_steps(
        tmp_path, ONE, info={"runtime": CPU}, metric=metric, target=given, folds=5, time_budget=60.0
    )
    plan = steps.stages.search.plan
    assert plan.limits.target == score
    assert (plan.budget.seconds, plan.budget.num_folds) == (60.0, 5)
