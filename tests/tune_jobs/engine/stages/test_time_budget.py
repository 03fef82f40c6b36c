"""Whole runs in simulated time: search and retraining share what `--time-budget` gives."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.stages.searches import EPOCHS, report
from tests.tune_jobs.engine.stages.timed_runs import Run
from tune_jobs.engine.search.limits import NO_TIME, TOO_SLOW, SearchLimits
from tune_jobs.engine.stages.retrain import NOT_IN_TIME
from tune_jobs.engine.stages.time_budget import TimeBudget, least_epochs


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Run]:
    def begin(epoch_seconds: Mapping[str, float], budget: float | None, **given: object) -> Run:
        return Run(tmp_path / "study.journal", epoch_seconds, budget, **given)  # type: ignore[arg-type]

    return begin


Begin = Callable[..., Run]


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_search_and_retraining_end_in_time_and_use_it(begin: Begin, slots: int) -> None:
    run = begin({"net": 1.0}, 100.0, slots=slots, top=2).go()
    assert 75 <= run.now <= 100
    assert run.trained[0] == 3
    assert run.has_winner
    assert min(run.trained.values()) >= 2
    ended = run.search.record.trials(TrialState.COMPLETE)
    assert sum(t.seconds for t in ended) >= 0.4 * slots * run.now, "the search has its share"


def test_the_search_leaves_time_for_all_seeds_of_published_configurations(begin: Begin) -> None:
    published = [{"architecture": "net", "lr": lr} for lr in (0.02, 0.03)]
    run = begin({"net": 1.0}, 200.0, published=published).go()
    assert 150 <= run.now <= 200
    assert run.trained[0] == run.trained[1] == 3
    assert run.retraining.cut_short is None


def test_without_a_budget_all_trials_are_tried(begin: Begin) -> None:
    run = begin({"net": 1000.0}, None, trials=6).go()
    assert len(run.search.record.trials(TrialState.COMPLETE)) == 6


def test_the_epochs_of_all_folds_are_the_searchs(begin: Begin) -> None:
    """Six trials are as many epochs as the default's three pairs and the best one's: the other two
    candidates are afforded by what the folds add."""
    one, three = (begin({"net": 1.0}, None, trials=6, top=3, folds=n) for n in (1, 3))
    three.journal = one.journal.with_name("folds.journal")
    assert len(one.go().trained) == 2
    assert len(three.go().trained) == 4


def test_a_short_budget_has_fewer_candidates_then_fewer_seeds(begin: Begin) -> None:
    """The search leaves time for one seed of two candidates, and what is left is too short for a
    second one of both."""
    run = begin({"net": 1.0}, 38.0, top=3).go()
    assert run.now <= 38
    assert sorted(run.trained.values()) == [1, 1]
    assert run.retraining.cut_short == "there was time for 1 of 3 seeds"
    assert run.has_winner


@pytest.mark.parametrize("budget", [5.0, -5.0])
def test_too_short_for_one_training_the_default_is_trained_once_and_it_is_said(
    begin: Begin, budget: float
) -> None:
    run = begin({"net": 10.0, "other": 10.0}, budget).go()
    assert run.trained == {0: 1}
    assert run.now == 10.0 + 51.0, "the search has seen one epoch"
    assert "an estimated 51 s" in (run.retraining.cut_short or "")
    assert run.has_winner


def test_what_a_retraining_takes_is_learned_from_retrainings_too(begin: Begin) -> None:
    run = begin({"net": 1.0}, None, trials=1)
    run.open()
    task = run.search.next_task()
    assert task is not None
    for epoch in range(1, EPOCHS + 1):
        run.search.on_report(task.number, report(epoch, 0.9, seconds=1.0))
    task = run.retraining.next_task()
    assert task is not None
    times = run.search.time.times
    before = times.retraining(0)
    run.retraining.on_report(task.number, report(1, 0.9, seconds=100.0))
    assert times.retraining(0) > 10 * before


def test_what_there_was_no_time_for_is_trained_by_a_session_that_has_it(begin: Begin) -> None:
    short = begin({"net": 1.0}, 38.0, top=3).go()
    tried = len(short.search.record.trials())
    longer = begin({"net": 1.0}, None, trials=tried, top=3).go()
    assert set(longer.trained.values()) == {3}
    assert longer.retraining.cut_short is None
    assert longer.retraining.record.num_rounds is None, "who has all seeds can win, and no other"
    assert all(result.dropped_out is None for result in longer.retraining.results())


def test_an_architecture_that_is_too_slow_is_not_begun_and_has_no_row(begin: Begin) -> None:
    seconds = {"cheap": 0.5, "dear": 50.0}
    run = begin(seconds, 40.0, measured={"dear": 40.0}).go()
    assert run.now <= 40
    [dear] = [t for t in run.search.record.trials() if t.params["architecture"] == "dear"]
    assert (dear.state, dear.epochs) == (TrialState.PRUNED, {})
    assert dear.end_reason == f"{TOO_SLOW}: a training takes an estimated 160 s or more"
    assert 1 not in run.trained
    assert {r.candidate.config["architecture"] for r in run.retraining.results()} == {"cheap"}
    tried = len(run.search.record.trials())
    longer = begin(seconds, 1000.0, measured={"dear": 40.0}, trials=tried + 1).go()
    retrained = [r.candidate.config["architecture"] for r in longer.retraining.results()]
    assert retrained.count("dear") >= 1


def test_patience_is_not_lost_with_what_is_too_slow(begin: Begin) -> None:
    cost = {"cheap": 0.5, "dear": 50.0, "dearer": 60.0}
    limits = SearchLimits(patience=2)
    run = begin(cost, 40.0, measured={"dear": 50.0, "dearer": 60.0}, limits=limits).go()
    reasons = [trial.end_reason or "" for trial in run.search.record.trials()]
    assert all(reason.startswith(TOO_SLOW) for reason in reasons[1:3])
    assert reasons[3] == "full budget", "the search went on"


def test_what_was_too_slow_is_tried_by_a_session_that_has_asked_for_all_others(
    begin: Begin,
) -> None:
    cost, adopted = {"cheap": 0.5, "dear": 50.0}, [{"architecture": "dear", "lr": 0.02}]
    begin(cost, 40.0, measured={"dear": 40.0}, trials=3, portfolio=adopted).go()
    longer = begin(cost, None, measured={"dear": 40.0}, trials=3, portfolio=adopted).go()
    retrained = {r.candidate.config["architecture"] for r in longer.retraining.results()}
    assert retrained == {"cheap", "dear"}
    complete = longer.search.record.trials(TrialState.COMPLETE)
    assert [trial.config["lr"] for trial in complete if trial.config] == [0.01, 0.01, 0.02]


def test_what_an_earlier_session_has_begun_is_ended_where_there_is_time_for_its_rest(
    begin: Begin,
) -> None:
    cost = {"cheap": 1.0, "dear": 100.0}
    killed = begin(cost, None)
    killed.open()
    for epochs in (EPOCHS, EPOCHS - 1):
        task = killed.search.next_task()
        assert task is not None
        taken = cost[task.config["architecture"]]
        for epoch in range(1, epochs + 1):
            killed.search.on_report(task.number, report(epoch, 0.9, seconds=taken))
    resumed = begin(cost, 700.0, seeds=1, trials=2)  # the last epoch, and 501 s to retrain it
    resumed.open()
    dear = resumed.search.next_task()
    assert dear is not None
    assert (dear.number, dear.epochs_reported) == (1, EPOCHS - 1)
    assert not resumed.search.on_report(1, report(EPOCHS, 0.9, seconds=100.0))
    assert len(resumed.search.record.trials(TrialState.COMPLETE)) == 2


def test_an_architecture_that_shows_to_be_too_slow_is_stopped_at_its_first_epoch(
    begin: Begin,
) -> None:
    """The rest is not lost: proposals of the other one go on."""
    run = begin({"cheap": 0.5, "dear": 10.0}, 50.0).go()
    assert run.now <= 50
    trials = run.search.record.trials()
    dear = [t for t in trials if t.params["architecture"] == "dear"]
    assert [(t.num_epochs, t.end_reason) for t in dear] == [(1, NO_TIME)]
    assert sum(t.params["architecture"] == "cheap" for t in trials) > 4
    results = {r.candidate.trial_number: r for r in run.retraining.results()}
    assert 1 not in results
    assert NOT_IN_TIME in {t.end_reason for t in run.retraining.record.trials()}


def test_fine_tuning_takes_the_epochs_that_there_is_time_for_and_keeps_to_them(
    begin: Begin,
) -> None:
    """Three epochs are taken for 30 s, twice what the probe has measured, and a retraining of them
    for 41 s; of four there is no more time than for these."""
    seconds, accuracy = {"cheap": 0.5, "tuned": 10.0}, {"tuned": 0.95}
    short = begin(
        seconds,
        95.0,
        accuracy=accuracy,
        measured={"tuned": 5.0},
        least_epochs={"tuned": 3},
        seeds=2,
        trials=4,
    ).go()
    assert short.now <= 95
    tuned = short.search.record.trials()[1]
    assert (tuned.state, tuned.num_epochs) == (TrialState.COMPLETE, 3)
    assert tuned.config is not None
    assert tuned.config["epochs"] == 3
    assert short.trained[1] == 1
    found = {r.candidate.trial_number: r for r in short.retraining.results()}
    assert [metrics.epoch for metrics in found[1].metrics] == [3]
    assert [metrics.epoch for metrics in found[0].metrics][:1] == [EPOCHS]
    later = begin(
        seconds, None, accuracy=accuracy, least_epochs={"tuned": 3}, seeds=2, trials=6
    ).go()
    epochs = {t.params["architecture"]: t.num_epochs for t in later.search.record.trials()[4:]}
    assert epochs == {"tuned": 3}


@pytest.mark.parametrize(
    ("budget", "least", "epochs"),
    [
        (1000.0, {"dear": 3}, EPOCHS),
        (110.0, {"dear": 3}, 0),
        (110.0, {"dear": 2}, 2),
        (140.0, {}, 0),
    ],
)
def test_fewer_epochs_are_for_networks_alone_and_not_too_few(
    begin: Begin, budget: float, least: Mapping[str, int], epochs: int
) -> None:
    """With time for two epochs alone, what needs three is too slow, as is an estimator."""
    seconds = {"cheap": 0.5, "dear": 15.0}
    run = begin(seconds, budget, measured={"dear": 15.0}, least_epochs=least, trials=2).go()
    dear = run.search.record.trials()[1]
    assert dear.num_epochs == epochs
    if not epochs:
        needed = "of 3 epochs takes an estimated 45" if least else "takes an estimated 60"
        assert dear.end_reason == f"{TOO_SLOW}: a training {needed} s or more"


def test_a_default_that_comes_to_its_end_in_the_search_is_not_trained_anew(begin: Begin) -> None:
    """All 4 epochs of the dear one and the look at the test split take 75 s, which was 130 s."""
    seconds, accuracy = {"cheap": 0.5, "dear": 14.0}, {"cheap": 0.5, "dear": 0.95}
    given = {"accuracy": accuracy, "measured": {"dear": 7.0}, "seeds": 1, "trials": 2}
    least = {"cheap": 1, "dear": 1}
    run = begin(seconds, 100.0, going_on=seconds, least_epochs=least, **given).go()
    cheap, dear = run.search.record.trials()
    assert (cheap.goes_on_with, dear.goes_on_with) == ((0, 1), (1, 1))
    assert (dear.state, dear.num_epochs) == (TrialState.COMPLETE, EPOCHS)
    assert run.trained == {0: 1, 1: 1}
    assert run.now == pytest.approx(2 + 56 + 1.5 + 15)
    assert {t.frozen.user_attrs.get("seed") for t in run.search.record.trials()} == {1}


def test_a_default_may_take_the_time_of_further_seeds(begin: Begin) -> None:
    """Three epochs are planned for 60 s, and as many are taken; a third of the 92 s would go to
    seeds, of which there is none without it."""
    seconds, accuracy = {"cheap": 5.0, "dear": 20.0}, {"cheap": 0.5, "dear": 0.95}
    least = {"cheap": 1, "dear": 1}
    run = begin(
        seconds,
        92.0,
        slots=2,
        accuracy=accuracy,
        measured={"dear": 10.0},
        going_on=seconds,
        least_epochs=least,
        trials=2,
    ).go()
    dear = run.search.record.trials()[1]
    assert (dear.state, dear.num_epochs) == (TrialState.COMPLETE, 3)
    assert run.trained[1] == 1
    assert run.now <= 92


@pytest.mark.parametrize(("budget", "epochs"), [(200.0, 4), (140.0, 2), (10.0, 1)])
def test_the_only_network_is_trained_for_as_few_epochs_as_there_is_time_for(
    begin: Begin, budget: float, epochs: int
) -> None:
    run = begin({"net": 10.0}, budget, measured={"net": 10.0}, least_epochs={"net": 1}).go()
    assert {t.config and t.config["epochs"] for t in run.search.record.trials()} == {epochs}
    assert run.has_winner
    assert run.now <= max(budget, 41.0), "one training in any case: 10 s, and 31 s once more"


def test_a_network_is_cut_to_a_quarter_at_most_and_an_estimator_never() -> None:
    names = ["svm", "cnn", "torchvision:mobilenet_v2"]
    fewest = least_epochs(names, "torchvision:mobilenet_v2", 30)
    assert fewest == {"cnn": 8, "torchvision:mobilenet_v2": 3}
    assert least_epochs(names, None, 30) == {"cnn": 8, "torchvision:mobilenet_v2": 8}
    assert least_epochs(["cnn", "svm"], None, 2) == {"cnn": 3}
    assert (least_epochs(["cnn"], None, 30), least_epochs(["svm"], None, 30)) == ({"cnn": 1}, {})


def test_a_retraining_trains_one_model_whatever_the_folds(begin: Begin) -> None:
    """A trial of five folds takes 20 s, a retraining 6 s: with three seeds of two candidates the
    search has time for three trials, and not for two."""
    run = begin({"net": 1.0}, 110.0, folds=5).go()
    assert run.now <= 110
    assert len(run.search.record.trials(TrialState.COMPLETE)) >= 3
    assert set(run.trained.values()) == {3}


def test_defaults_that_have_lost_to_the_best_of_them_drop_out_after_one_seed(begin: Begin) -> None:
    names = ("linear", "mlp", "cnn", "resnet18")
    accuracy = {"linear": 0.3, "mlp": 0.9, "cnn": 0.95, "resnet18": 0.951}
    run = begin(dict.fromkeys(names, 1.0), None, accuracy=accuracy, trials=30).go()
    results = {r.candidate.trial_number: r for r in run.retraining.results()}
    assert run.trained[0] == run.trained[1] == 1
    assert run.trained[2] > 1, "it cannot be told from the best of them"
    assert run.trained[3] == 3
    assert results[0].dropped_out == (
        "lost to trial 3: 0.2985 on validation against 0.9505, over 2 seeds"
    )
    assert results.keys() >= {0, 1, 2, 3}, "each architecture has a row"


def test_what_cannot_win_takes_no_time_from_the_retraining(begin: Begin) -> None:
    """Once no trial of the leading one fits in, the other one is ten times as often wrong."""
    accuracy = {"cheap": 0.5, "dear": 0.95}
    run = begin({"cheap": 0.2, "dear": 8.0}, 200.0, slots=2, accuracy=accuracy).go()
    assert run.now <= 200
    tried = [trial.params["architecture"] for trial in run.search.record.trials()]
    assert tried.count("dear") > 2
    assert tried.count("cheap") < 20
    assert sorted(run.trained.values()) == [1, 2, 2], "there is time for a second seed"


def test_the_rows_of_all_architectures_are_paid_for_before_other_candidates(begin: Begin) -> None:
    """Nine trials are as many epochs as nine pairs: three of the best default, three of the best
    trial, and one of each other default."""
    names = ("linear", "mlp", "cnn", "resnet18")
    run = begin(dict.fromkeys(names, 1.0), None, trials=9, top=3).go()
    assert sorted(run.trained.values()) == [1, 1, 1, 3, 3]


def test_the_only_default_that_is_left_waits_for_no_round(begin: Begin) -> None:
    """A trial takes 4 s, a retraining 6 s: the first seeds, then all others at once."""
    accuracy = {"linear": 0.3, "mlp": 0.5, "cnn": 0.95}
    run = begin(dict.fromkeys(accuracy, 1.0), None, accuracy=accuracy, trials=8, slots=8).go()
    assert (run.trained[0], run.trained[1], run.trained[2]) == (1, 1, 3)
    assert run.now == 4 + 6 + 6


def test_slots_are_filled_the_longest_first() -> None:
    def wall(slots: int, *trainings: float) -> float:
        return TimeBudget(count_slots=lambda: slots).wall(trainings)

    assert (wall(2), wall(2, 5.0), wall(1, 5.0, 1.0)) == (0.0, 5.0, 6.0)
    assert (wall(2, 2.0, 3.0, 2.0, 5.0), wall(8, 2.0, 3.0)) == (7.0, 3.0)
