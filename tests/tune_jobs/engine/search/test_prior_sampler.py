"""Proposals come from around what is known to be good, and from a model of what was seen."""

import math
from collections import Counter
from typing import Any, Literal

import numpy as np
import optuna
import pytest

from tune_jobs.engine.search.history import ranked
from tune_jobs.engine.search.prior_sampler import FEW, UNIFORM, PriorSampler

CENTRE = {"optimizer": "adam", "lr": 1e-3, "width": 64, "dropout": 0.3}


def space(trial: optuna.Trial) -> None:
    optimizer = trial.suggest_categorical("optimizer", ("sgd", "adam"))
    low, high = {"sgd": (1e-3, 1.0), "adam": (1e-4, 1e-2)}[optimizer]
    trial.suggest_float("lr", low, high, log=True)
    if trial.suggest_categorical("width", (16, 32, 64, 128)) > 16:
        trial.suggest_float("dropout", 0.0, 0.6)


def ask(study: optuna.Study, seed: int, **options: Any) -> optuna.Trial:
    study.sampler = PriorSampler(seed, **{"centre": CENTRE, **options})
    trial = study.ask()
    space(trial)
    return trial


def ideal(params: dict[str, Any]) -> float:
    """It is best at SGD with a rate of 0.3, where the centre is not."""
    if params["optimizer"] != "sgd":
        return 0.5
    return 1.0 - 0.2 * abs(math.log10(params["lr"] / 0.3))


def test_without_uniform_draws_first_proposals_lie_around_the_centre() -> None:
    drawn = [ask(optuna.create_study(), seed, uniform=0.0).params for seed in range(300)]
    optimizers = Counter(params["optimizer"] for params in drawn)
    assert 0.75 < optimizers["adam"] / len(drawn) < 0.95
    rates = [np.log10(p["lr"]) for p in drawn if p["optimizer"] == "adam"]
    assert np.mean(rates) == pytest.approx(-3, abs=0.1)
    assert np.std(rates) == pytest.approx(0.37, abs=0.1)  # 0.1 or 0.3 of two decades
    widths = Counter(params["width"] for params in drawn)
    assert widths[64] / len(drawn) == pytest.approx(0.5, abs=0.08)
    assert min(widths[32], widths[128]) > widths[16]


def edge_space(trial: optuna.Trial) -> None:
    for name in ("x", "y"):
        trial.suggest_float(name, 0.0, 1.0)


@pytest.mark.parametrize("uniform", [0.0, 1.0])
def test_parameters_are_drawn_apart_and_do_not_pile_up_at_an_end(uniform: float) -> None:
    drawn = []
    for seed in range(200):
        study = optuna.create_study(
            sampler=PriorSampler(seed, centre={"x": 1.0, "y": 0.5}, uniform=uniform)
        )
        trial = study.ask()
        edge_space(trial)
        drawn.append((trial.params["x"], trial.params["y"]))
    x_N, y_N = np.array(drawn).T
    assert x_N.max() < 1.0
    assert abs(np.corrcoef(x_N, y_N)[0, 1]) < 0.2


def test_the_whole_space_keeps_its_share() -> None:
    """So does a space whose centre knows nothing of it."""
    drawn = [ask(optuna.create_study(), seed, uniform=1.0).params for seed in range(300)]
    assert Counter(p["optimizer"] for p in drawn)["sgd"] == pytest.approx(150, abs=40)
    without = [ask(optuna.create_study(), seed, centre={}).params for seed in range(300)]
    assert Counter(p["optimizer"] for p in without)["sgd"] == pytest.approx(150, abs=40)
    assert 0 < UNIFORM < 0.5


def test_what_the_search_has_seen_counts_more_than_the_centre() -> None:
    study = optuna.create_study(direction="maximize")
    for seed in range(60):
        trial = ask(study, seed)
        trial.report(ideal(trial.params), 1)
        study.tell(trial, ideal(trial.params))
    last = [trial.params for trial in study.trials[-20:]]
    assert Counter(params["optimizer"] for params in last)["sgd"] > 12
    assert study.best_value > 0.95


def sources(study: optuna.Study, word: str = "a") -> Counter[tuple[str, str]]:
    """Count where proposals come from, and what they are."""
    found: Counter[tuple[str, str]] = Counter()
    for seed in range(800):
        study.sampler = PriorSampler(seed, centre={"word": word})
        trial = study.ask()
        drawn = trial.suggest_categorical("word", "abcd")
        found[study.sampler.source, drawn] += 1
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return found


def end(study: optuna.Study, word: str, value: float | None) -> None:
    """End a trial at its full budget, or before its first report."""
    study.enqueue_trial({"word": word})
    trial = study.ask()
    trial.suggest_categorical("word", "abcd")
    if value is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        trial.report(value, 1)
        study.tell(trial, value)


def test_the_better_an_incumbent_the_more_often_is_drawn_around_it() -> None:
    study = optuna.create_study(direction="maximize")
    for word, value in zip("dddcba", (0.1, 0.2, 0.3, 0.7, 0.8, 0.9), strict=True):
        end(study, word, value)
    found = sources(study)
    around = [found["incumbent", word] for word in "abcd"]
    shares = [count / sum(around) for count in around]
    # 4, 2 and 1 of 7 times around the three best, of which 7 of 10 stay.
    assert shares == pytest.approx([0.475, 0.275, 0.175, 0.075], abs=0.05)


def test_what_diverged_at_once_is_no_incumbent_beside_one_that_did_not() -> None:
    study = optuna.create_study(direction="maximize")
    for word, value in zip("ddbddd", (None, None, 0.5, None, None, None), strict=True):
        end(study, word, value)
    found = sources(study)
    around = [found["incumbent", word] for word in "abcd"]
    assert sum(around) > 30
    assert around[1] > 0.7 * sum(around)


def test_there_is_a_model_from_the_eighth_trial_on() -> None:
    study = optuna.create_study(direction="maximize")
    for number in range(FEW - 1):
        end(study, "abcd"[number % 4], number / 10)
    assert {source for source, _ in sources(study)} == {"uniform", "centre", "incumbent"}
    end(study, "a", 0.5)
    assert "model" in {source for source, _ in sources(study)}
    assert FEW == 8


def test_a_proposal_is_a_function_of_seed_and_record() -> None:
    def search() -> list[dict[str, Any]]:
        study = optuna.create_study(direction="maximize")
        for seed in range(3 * FEW):
            trial = ask(study, seed)
            trial.report(ideal(trial.params), 1)
            study.tell(trial, ideal(trial.params))
        return [trial.params for trial in study.trials]

    assert search() == search()


def test_running_trials_are_not_proposed_again() -> None:
    study = optuna.create_study(direction="maximize")
    for seed in range(20):
        trial = ask(study, seed)
        trial.report(ideal(trial.params), 1)
        study.tell(trial, ideal(trial.params))
    open_trials = [ask(study, 100 + k).params for k in range(12)]
    assert len({str(params) for params in open_trials}) == 12


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_best_come_first_whatever_ended_them(
    direction: Literal["maximize", "minimize"],
) -> None:
    sign = 1 if direction == "maximize" else -1
    study = optuna.create_study(direction=direction)
    values = {"bad": 0.2, "good": 0.9, "stopped late": 0.95, "stopped early": 0.99}
    for name, value in values.items():
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_user_attr("name", name)
        if name.startswith("stopped"):
            trial.report(sign * value, 1 if name.endswith("early") else 3)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, sign * value)
    diverged = study.ask()
    diverged.suggest_float("x", 0, 1)
    diverged.set_user_attr("name", "diverged")
    study.tell(diverged, state=optuna.trial.TrialState.PRUNED)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    order = [trial.user_attrs["name"] for trial in ranked(study)]
    assert order == ["good", "bad", "stopped late", "stopped early", "diverged"]


def test_what_diverged_at_once_is_no_incumbent() -> None:
    study = optuna.create_study(direction="maximize")
    for seed in range(20):
        study.tell(ask(study, seed), state=optuna.trial.TrialState.PRUNED)
    for seed in range(100, 160):
        trial = ask(study, seed)
        assert isinstance(study.sampler, PriorSampler)
        assert study.sampler.source in ("centre", "uniform")
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)


def joined(trial: optuna.Trial) -> None:
    if trial.suggest_categorical("architecture", ("good", "bad")) == "good":
        trial.suggest_float("good.x", 0.0, 1.0)
    else:
        trial.suggest_float("bad.x", 0.0, 1.0)


def test_a_proposal_learns_from_trials_of_its_own_architecture_alone() -> None:
    """The trials of the other one are many, and better."""
    study = optuna.create_study(direction="maximize")
    for number in range(30):
        study.enqueue_trial({"architecture": "good", "good.x": 0.9})
        trial = study.ask()
        joined(trial)
        trial.report(0.9 + number / 1000, 1)
        study.tell(trial, 0.9)
    drawn = []
    for seed in range(40):
        study.enqueue_trial({"architecture": "bad"})
        study.sampler = PriorSampler(seed, centre={"good.x": 0.9, "bad.x": 0.2}, uniform=0.0)
        trial = study.ask()
        joined(trial)
        assert study.sampler.source == "centre"
        drawn.append(trial.params["bad.x"])
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.1)
