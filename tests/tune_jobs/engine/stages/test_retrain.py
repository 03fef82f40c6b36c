"""The retraining and its record, with real Optuna and a real journal; Ray has no part in it."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.tune_jobs.engine.stages.searches import EPOCHS, open_search, report, run_to_the_end
from trainables.metrics import METRICS, Cost, HeldOutMetrics
from trainables.trials.task import TrialTask
from tune_jobs.engine.record.journal import open_journal
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.search.limits import ModelLimits
from tune_jobs.engine.stages.candidates import choose_winner, pair_name
from tune_jobs.engine.stages.race import Pair
from tune_jobs.engine.stages.retrain import NOT_AFFORDED, Retraining
from tune_jobs.engine.stages.search import Search

Values = Callable[[int, int], float]
"""The accuracy of a candidate with a seed."""


def end_search(journal: Path, trials: int) -> Search:
    """A search whose later trials are better; the default is trial 0."""
    search = open_search(journal, trials=trials)
    while (task := search.next_task()) is not None:
        run_to_the_end(search, task, 0.5 + task.number / 100)
    return search


def open_retraining(search: Search, journal: Path, *, seeds: int, top: int = 3) -> Retraining:
    record = Record.open(open_journal(journal), "job/run/retrain", pair_name, METRICS["accuracy"])
    return Retraining(search, record, top=top, seeds=range(1, seeds + 1))


def pair_of(retraining: Retraining, task: TrialTask) -> Pair:
    return retraining.record.trials()[task.number].pair


def race(retraining: Retraining, values: Values, *, slots: int = 1, order: int = 0) -> list[Pair]:
    """Train to the end, `slots` pairs at once, of which any ends first; return the pairs."""
    trained: list[Pair] = []
    running: list[TrialTask] = []
    generator = random.Random(order)
    while not retraining.finished:
        while len(running) < slots and (task := retraining.next_task()) is not None:
            running.append(task)
        assert running, "it is not finished, and gives nothing"
        task = running.pop(generator.randrange(len(running)))
        pair = pair_of(retraining, task)
        run_to_the_end(retraining, task, values(*pair))
        trained.append(pair)
    return trained


def dropped(retraining: Retraining) -> dict[int, str]:
    results = retraining.results()
    return {r.candidate.trial_number: r.dropped_out for r in results if r.dropped_out}


def apart(number: int, seed: int) -> float:
    """Trial 11 is far worse than the others, which are within what seeds make of them."""
    mean = {0: 0.90, 11: 0.50, 12: 0.90, 13: 0.91}[number]
    return mean + (0.01 if (number + seed) % 2 == 0 else -0.01)


def test_a_candidate_that_has_lost_trains_no_further_seeds(journal: Path) -> None:
    retraining = open_retraining(end_search(journal, 14), journal, seeds=4)
    trained = Counter(number for number, _ in race(retraining, apart))
    assert trained == {0: 4, 11: 2, 12: 4, 13: 4}
    [(number, reason)] = dropped(retraining).items()
    assert number == 11
    assert reason == ("lost to trial 13: 0.5000 on validation against 0.9100, over 2 seeds")
    by_number = {r.candidate.trial_number: r for r in retraining.results()}
    assert by_number[11].seeds == (1, 2)
    assert by_number[11].num_failed == 0
    assert not by_number[11].all_seeds_ended
    [skipped] = retraining.record.trials(TrialState.PRUNED)
    assert (skipped.pair, skipped.end_reason, skipped.is_skipped) == ((11, 3), reason, True)


@pytest.mark.parametrize(("seeds", "loses"), [(3, True), (6, False)])
def test_a_race_that_looks_more_often_is_more_careful(
    journal: Path, seeds: int, loses: bool
) -> None:
    """Trial 21 is behind by what chance explains in between one and five of 100 looks."""
    mean = {0: 0.90, 21: 0.80, 22: 0.90, 23: 0.91}
    retraining = open_retraining(end_search(journal, 24), journal, seeds=seeds)
    trained = race(retraining, lambda n, seed: mean[n] + (0.01 if (n + seed) % 2 else -0.01))
    assert ((21, 3) not in trained) is loses


def test_a_candidate_of_which_a_seed_failed_is_compared_with_nobody(journal: Path) -> None:
    retraining = open_retraining(end_search(journal, 14), journal, seeds=4)
    while (task := retraining.next_task()) is not None:
        pair = pair_of(retraining, task)
        if pair == (12, 2):
            retraining.on_failure(task.number, "RuntimeError: boom")
        else:
            run_to_the_end(retraining, task, apart(*pair))
    assert retraining.finished
    assert dropped(retraining).keys() == {11}
    [failed] = [r for r in retraining.results() if r.candidate.trial_number == 12]
    assert (failed.seeds, failed.num_failed, failed.dropped_out) == ((1, 3, 4), 1, None)


def test_a_model_that_is_too_slow_drops_out_and_is_no_rival(journal: Path) -> None:
    """Trial 13 is by far the best, and would have the others drop out; so would the default."""
    limits = ModelLimits(latency_seconds=0.005)
    end_search(journal, 14)
    search = open_search(journal, trials=14, model_limits=limits)
    retraining = open_retraining(search, journal, seeds=3)
    while (task := retraining.next_task()) is not None:
        number, _ = pair_of(retraining, task)
        seconds = 0.1 if number in (0, 13) else 0.001
        cost = Cost(peak_host_bytes=1, throughput=1.0, latency_seconds=seconds)
        test = HeldOutMetrics(loss=1.0, accuracy=0.5, macro_f1=0.5, cost=cost)
        value = {0: 0.98, 13: 0.99}.get(number, 0.6 + number / 1000)
        for epoch in range(1, EPOCHS):
            assert retraining.on_report(task.number, report(epoch, value))
        assert not retraining.on_report(task.number, report(EPOCHS, value, test=test))
    assert retraining.finished
    assert dropped(retraining) == {13: "100 ms for one image, above --max-latency 5 ms"}
    results = {result.candidate.trial_number: result for result in retraining.results()}
    assert {n: result.seeds for n, result in results.items()} == {
        **{0: (1, 2, 3), 11: (1, 2, 3), 12: (1, 2, 3), 13: (1,)}
    }
    winner = choose_winner(list(results.values()), METRICS["accuracy"], limits)
    assert winner is results[12]
    search = open_search(journal, trials=14, model_limits=limits)
    again = open_retraining(search, journal, seeds=3)
    before = len(again.record.trials())
    assert race(again, lambda number, seed: 0.99) == []
    assert len(again.record.trials()) == before, "it is out, and not once more"
    higher = ModelLimits(latency_seconds=1.0)
    search = open_search(journal, trials=14, model_limits=higher)
    retraining = open_retraining(search, journal, seeds=3)
    assert race(retraining, lambda number, seed: 0.99) == [(13, 2), (13, 3)]
    winner = choose_winner(retraining.results(), METRICS["accuracy"], higher)
    assert (winner and winner.candidate.trial_number, dropped(retraining)) == (13, {})


def test_no_model_that_is_too_slow_trains_on_because_it_is_the_best_of_the_search(
    journal: Path,
) -> None:
    end_search(journal, 3)
    search = open_search(journal, trials=3, model_limits=ModelLimits(latency_seconds=0.005))
    retraining = open_retraining(search, journal, seeds=3)
    trained = []
    while (task := retraining.next_task()) is not None:
        trained.append(pair_of(retraining, task))
        seconds = 0.001 if trained[-1][0] == 0 else 0.1
        cost = Cost(peak_host_bytes=1, throughput=1.0, latency_seconds=seconds)
        test = HeldOutMetrics(loss=1.0, accuracy=0.5, macro_f1=0.5, cost=cost)
        for epoch in range(1, EPOCHS):
            assert retraining.on_report(task.number, report(epoch, 0.5))
        assert not retraining.on_report(task.number, report(EPOCHS, 0.5, test=test))
    assert sorted(trained) == [(0, 1), (0, 2), (0, 3), (2, 1)]


def test_references_and_the_best_of_the_search_train_all_seeds_others_what_is_left(
    journal: Path,
) -> None:
    """Five trials are as many epochs as five pairs: the default's two, the best one's two."""
    retraining = open_retraining(end_search(journal, 5), journal, seeds=2)
    trained = race(retraining, lambda number, seed: 0.9 if number == 3 else 0.8)
    assert sorted(trained) == [(0, 1), (0, 2), (3, 1), (3, 2), (4, 1)]
    assert dropped(retraining) == {4: NOT_AFFORDED}


def test_the_best_of_the_search_is_retrained_whatever_it_takes(journal: Path) -> None:
    retraining = open_retraining(end_search(journal, 2), journal, seeds=3)
    assert sorted(race(retraining, lambda number, seed: 0.5)) == [
        (number, seed) for number in (0, 1) for seed in (1, 2, 3)
    ]


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("order", range(3))
def test_what_is_decided_does_not_depend_on_the_order_of_reports(
    journal: Path, slots: int, order: int
) -> None:
    retraining = open_retraining(end_search(journal, 14), journal, seeds=4)
    trained = race(retraining, apart, slots=slots, order=order)
    assert sorted(trained) == [
        *((0, seed) for seed in (1, 2, 3, 4)),
        *((11, seed) for seed in (1, 2)),
        *((number, seed) for number in (12, 13) for seed in (1, 2, 3, 4)),
    ]


@pytest.mark.parametrize("trials", [5, 14])
def test_a_resumed_race_decides_what_an_undisturbed_one_would(tmp_path: Path, trials: int) -> None:
    """It is resumed after each pair, and amid each."""

    def values(number: int, seed: int) -> float:
        return apart(number, seed) if trials == 14 else 0.8 + (number == 3) / 10

    straight, cut = tmp_path / "straight.journal", tmp_path / "cut.journal"
    undisturbed = open_retraining(end_search(straight, trials), straight, seeds=4)
    expected = sorted(race(undisturbed, values))
    end_search(cut, trials)
    trained = []
    while True:
        retraining = open_retraining(open_search(cut, trials=trials), cut, seeds=4)
        if retraining.finished:
            break
        task = retraining.next_task()
        assert task is not None
        value = values(*pair_of(retraining, task))
        if not task.epochs_reported:
            assert retraining.on_report(task.number, report(1, value))
            continue
        trained.append(pair_of(retraining, task))
        run_to_the_end(retraining, task, value)
    assert sorted(trained) == expected
    assert dropped(retraining) == dropped(undisturbed)


def test_what_an_earlier_version_has_begun_is_trained(journal: Path) -> None:
    """It enqueued every seed of every candidate at once."""
    search = end_search(journal, 5)
    record = open_retraining(search, journal, seeds=2).record
    pairs = [(number, seed) for seed in (1, 2) for number in (0, 2, 3, 4)]
    for number, seed in pairs:
        record.enqueue({}, trial_number=number, seed=seed, params={})
    retraining = open_retraining(search, journal, seeds=2)
    assert race(retraining, lambda number, seed: 0.5) == pairs
    assert dropped(retraining) == {}


def test_who_dropped_out_stays_out_when_the_search_goes_on(journal: Path) -> None:
    def value(number: int, seed: int) -> float:
        return 0.9 if number == 3 else 0.8

    race(open_retraining(end_search(journal, 5), journal, seeds=2), value)
    more = open_retraining(end_search(journal, 9), journal, seeds=2)
    assert sorted(race(more, value)) == [(6, 1), (6, 2), (7, 1), (8, 1)]
    assert dropped(more).keys() == {4, 7, 8}
    assert {r.candidate.trial_number for r in more.results()} == {0, 3, 4, 6, 7, 8}


def test_a_pair_that_failed_is_tried_again_by_the_next_session(journal: Path) -> None:
    search = end_search(journal, 9)
    retraining = open_retraining(search, journal, seeds=2)
    task = retraining.next_task()
    assert task is not None
    failed = pair_of(retraining, task)
    retraining.on_failure(task.number, "RuntimeError: boom")
    trained = race(retraining, lambda number, seed: 0.5)
    assert failed not in trained
    [result] = [r for r in retraining.results() if r.candidate.trial_number == failed[0]]
    assert (result.num_failed, result.all_seeds_ended) == (1, False)
    again = open_retraining(search, journal, seeds=2)
    assert race(again, lambda number, seed: 0.5) == [failed]


def test_a_failed_pair_is_tried_again_though_it_would_not_be_afforded_now(journal: Path) -> None:
    """Not by a session that asks for fewer seeds."""
    retraining = open_retraining(end_search(journal, 7), journal, seeds=2)
    while (task := retraining.next_task()) is not None:
        if pair_of(retraining, task) == (5, 2):
            retraining.on_failure(task.number, "RuntimeError: boom")
        else:
            run_to_the_end(retraining, task)
    fewer = open_retraining(end_search(journal, 7), journal, seeds=1)
    assert race(fewer, lambda number, seed: 0.5) == []
    again = open_retraining(end_search(journal, 8), journal, seeds=2)
    assert sorted(race(again, lambda number, seed: 0.6)) == [(5, 2), (7, 1), (7, 2)]


def begin(search: Search, unfinished: int) -> Sequence[TrialTask]:
    """Run all but the last trials to their ends."""
    tasks = []
    while (task := search.next_task()) is not None:
        tasks.append(task)
    for task in tasks[: len(tasks) - unfinished]:
        run_to_the_end(search, task, 0.5 + task.number / 100)
    return tasks[len(tasks) - unfinished :]


@pytest.mark.parametrize("last", [0.4, 0.95])
@pytest.mark.parametrize("resumed", [False, True])
def test_who_is_certain_to_be_among_the_best_begins_before_the_search_ends(
    journal: Path, last: float, resumed: bool
) -> None:
    search = open_search(journal, trials=14)
    begun = begin(search, 1)
    if resumed:  # the last trial waits for its slot
        search = open_search(journal, trials=14)
    retraining = open_retraining(search, journal, seeds=1)
    early = []
    while (task := retraining.next_task()) is not None:
        early.append(pair_of(retraining, task)[0])
    assert sorted(early) == [0, 11, 12], "trial 13 may still be better than both"
    assert not retraining.finished
    [running] = [search.next_task()] if resumed else begun
    run_to_the_end(search, running, last)
    assert not retraining.finished
    task = retraining.next_task()
    assert task is not None
    assert pair_of(retraining, task)[0] == (13 if last > 0.9 else 10)


def test_without_room_for_the_last_ones_nobody_but_the_references_begins(journal: Path) -> None:
    search = open_search(journal, trials=14)
    begin(search, 3)
    retraining = open_retraining(search, journal, seeds=2)
    early = []
    while (task := retraining.next_task()) is not None:
        early.append(pair_of(retraining, task))
    assert early == [(0, 1), (0, 2)]


def test_one_without_a_rival_does_not_wait_for_the_end_of_a_round(journal: Path) -> None:
    retraining = open_retraining(end_search(journal, 2), journal, seeds=3)
    at_once = []
    while (task := retraining.next_task()) is not None:
        at_once.append(pair_of(retraining, task))
    assert sorted(at_once) == [(number, seed) for number in (0, 1) for seed in (1, 2, 3)]


def test_epochs_of_the_search_are_those_of_stopped_trials_too(journal: Path) -> None:
    search = end_search(journal, 2)
    assert [trial.num_epochs for trial in search.record.trials()] == [EPOCHS, EPOCHS]
    other = open_search(journal, trials=3)
    task = other.next_task()
    assert task is not None
    other.on_report(task.number, report(1, 0.5))
    assert other.record.trials()[2].num_epochs == 1
