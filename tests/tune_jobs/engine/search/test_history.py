"""Trials are sorted as they end, and TPE is shown what it would see in a study of its own."""

import math
import random
import warnings
from typing import Any

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState, create_trial

from trainables.metrics import Direction
from tune_jobs.engine.search import shown_trials
from tune_jobs.engine.search.history import History, merit, ranked
from tune_jobs.engine.search.prior_sampler import PriorSampler, propose
from tune_jobs.engine.search.samplers import build_sampler
from tune_jobs.engine.search.unit_cube import from_unit, is_ordered, lay, place, unit_space


def space(trial: optuna.Trial) -> None:
    architecture = trial.suggest_categorical("architecture", ("cheap", "dear"))
    optimizer = trial.suggest_categorical("optimizer", ("sgd", "adam"))
    trial.suggest_float("lr", 1e-4, 1.0 if optimizer == "sgd" else 1e-2, log=True)
    trial.suggest_categorical("width", (16, 32, 64))
    trial.suggest_categorical("only", ("one",))
    if architecture == "dear":
        trial.suggest_int("depth", 1, 4)


def grow(study: optuna.Study, num_trials: int, seed: int) -> None:
    """Begin trials, and end them in another order; one in eight runs on."""
    drawn = random.Random(seed)
    study.sampler = RandomSampler(seed=seed)
    begun = [study.ask() for _ in range(num_trials)]
    for trial in begun:
        space(trial)
    drawn.shuffle(begun)
    for trial in begun[num_trials // 8 :]:
        for epoch in range(1, drawn.randint(1, 4)):
            trial.report(round(drawn.random(), 1), epoch)
        state = drawn.choice((TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
        complete = state == TrialState.COMPLETE
        study.tell(trial, round(drawn.random(), 1) if complete else None, state=state)


def sorted_anew(study: optuna.Study, architecture: str | None) -> list[int]:
    ended = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    known = [t for t in ended if architecture in (None, t.params["architecture"])]
    scored = [(merit(trial, study.direction), trial.number) for trial in known]
    finite = [(found, number) for found, number in scored if math.isfinite(found[1])]
    return [number for _, number in sorted(finite, key=lambda pair: pair[0], reverse=True)]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_trials_are_sorted_in_whatever_order_they_end(direction: Direction) -> None:
    study = optuna.create_study(direction=direction)
    for seed in range(4):
        grow(study, 20, seed)
        history = History.of(study)
        for architecture in (None, "cheap", "dear"):
            ended = history.ended(architecture)
            numbers = [trial.number for trial in ended.ranked]
            assert numbers == sorted_anew(study, architecture)
            assert [trial.number for trial in ended.numbered] == sorted(numbers)
        running = study.get_trials(states=(TrialState.RUNNING,))
        assert [trial.number for trial in history.running] == [t.number for t in running]


def test_of_many_trials_the_best_and_the_newest_are_chosen() -> None:
    study = optuna.create_study(direction="maximize")
    grow(study, 80, seed=0)
    ended = History.of(study).ended()
    assert ended.choose(len(ended.ranked)) == ended.ranked
    chosen = ended.choose(20)
    assert chosen[:10] == ended.ranked[:10]
    others = sorted(ended.ranked[10:], key=lambda trial: trial.number)
    assert {trial.number for trial in chosen[10:]} == {trial.number for trial in others[-10:]}
    assert [t for t in ended.ranked if t in chosen] == chosen


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_proposal_is_that_of_a_study_which_trials_are_added_to(direction: Direction) -> None:
    study = optuna.create_study(direction=direction)
    grow(study, 60, seed=0)
    trials = [*ranked(study), *History.of(study).running]
    places = [place(trial) for trial in trials]
    own = unit_space(places)
    for seed in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = TPESampler(
                seed=seed, multivariate=True, constant_liar=True, n_startup_trials=1
            )
        added = optuna.create_study(direction=direction, sampler=sampler)
        for trial, found in zip(trials, places, strict=True):
            copy = create_trial(
                state=trial.state,
                value=trial.value if trial.state == TrialState.COMPLETE else None,
                params=lay(found, own),
                distributions=own,
                intermediate_values=trial.intermediate_values,
            )
            added.add_trial(copy)
        assert propose(study.direction, trials, places, seed) == added.ask(own).params


@pytest.mark.parametrize("architecture", [None, "dear"])
def test_the_model_is_shown_all_that_have_ended_and_others_that_run(
    architecture: str | None,
) -> None:
    """Where the architecture was chosen before, those of the same one."""
    study = optuna.create_study(direction="maximize")
    grow(study, 60, seed=0)
    others = [
        trial
        for trial in [*ranked(study), *History.of(study).running]
        if architecture in (None, trial.params["architecture"])
    ]
    num_modelled = 0
    for seed in range(20):
        sampler = PriorSampler(seed, centre={}, uniform=0.0)
        study.sampler = sampler
        if architecture:
            study.enqueue_trial({"architecture": architecture})
        trial = study.ask()
        space(trial)
        if sampler.source == "model":
            num_modelled += 1
            expected = propose(study.direction, others, [place(t) for t in others], seed)
            for name, distribution in trial.distributions.items():
                if name != "architecture" or not architecture:
                    found = expected[name]
                    value = from_unit(distribution, found) if is_ordered(distribution) else found
                    assert trial.params[name] == value
        study.tell(trial, state=TrialState.FAIL)  # as if it had not been
    assert num_modelled > 5


def test_a_trial_that_was_given_more_parameters_lies_elsewhere() -> None:
    """One that runs may be amid its proposal."""
    study = optuna.create_study()
    trial = study.ask()
    ended = History.of(study).ended()
    for names in ({"x"}, {"x", "y"}):
        for name in names:
            trial.suggest_float(name, 0.0, 1.0)
        [found] = ended.place(study.get_trials(deepcopy=False))
        assert found.keys() == names


def ask(study: optuna.Study, sampler: optuna.samplers.BaseSampler) -> dict[str, Any]:
    study.sampler = sampler
    trial = study.ask()
    space(trial)
    params = trial.params
    study.tell(trial, state=TrialState.FAIL)  # as if it had not been
    return params


def test_tpe_sees_all_of_a_small_search_and_a_part_of_a_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = optuna.create_study(direction="maximize")
    grow(study, 60, seed=0)

    def optunas() -> TPESampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(seed=7, multivariate=True, group=True, constant_liar=True)

    def ours() -> optuna.samplers.BaseSampler:
        return build_sampler("tpe", seed=0, number=7, centre={})

    assert ask(study, ours()) == ask(study, optunas())
    monkeypatch.setattr(shown_trials, "MOST_MODELLED", 20)
    history = History.of(study)
    chosen = [*history.ended().choose(20), *history.running]
    part = optuna.create_study(direction="maximize")
    part.add_trials(sorted(chosen, key=lambda trial: trial.number))
    assert ask(study, ours()) == ask(part, optunas())
