"""Of which architecture the next proposal is: where an error is lowered in the least time."""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from trainables.metrics import METRICS, EpochMetrics
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.stages.allocate import Allocation, rung_group

NAMES = ("cheap", "middling", "dear")


def trial(
    architecture: str,
    accuracy: float | None = None,
    seconds: float = 1.0,
    *,
    runs: bool = False,
    origin: str = "search",
    epochs: tuple[int, int] = (1, 1),
    **figures: float,
) -> RecordedTrial:
    """A trial that has reported so many of its epochs; without an accuracy none, or it failed."""
    num_epochs, full_budget = epochs
    config = {"architecture": architecture, "epochs": full_budget}
    attributes: dict[str, Any] = {"origin": origin, "config": config}
    state = TrialState.RUNNING if runs else TrialState.FAIL
    if accuracy is not None:
        known = {"val_accuracy": accuracy, "val_loss": 1.0, **figures}
        for epoch in range(1, num_epochs + 1):
            metrics = EpochMetrics(epoch=epoch, seconds=seconds, **known)  # type: ignore[arg-type]
            attributes[f"epoch_{epoch}"] = metrics.to_json()
        state = TrialState.RUNNING if runs else TrialState.PRUNED
    frozen = create_trial(
        state=state,
        params={"architecture": architecture},
        distributions={"architecture": CategoricalDistribution(NAMES)},
        user_attrs=attributes,
    )
    return RecordedTrial(frozen)


def choose(trials: Sequence[RecordedTrial], metric: str = "accuracy") -> str:
    return Allocation(trials, METRICS[metric]).choose(NAMES)


def test_before_any_has_ended_each_is_tried_the_cheapest_first() -> None:
    assert choose([]) == "cheap"
    running = [trial(name, runs=True) for name in ("cheap", "middling")]
    assert choose(running) == "dear"
    assert choose([*running, trial("dear", runs=True)]) == "cheap"
    assert choose([trial("cheap")]) == "middling", "of one that failed nothing is known"


def test_one_whose_cost_is_not_known_waits() -> None:
    ended = [trial("cheap", 0.5)]
    assert choose([*ended, trial("dear", runs=True)]) == "cheap"
    assert choose([*ended, trial("dear")]) == "cheap", "it failed"


def test_what_runs_counts_as_it_stands() -> None:
    """Four epochs of 1 s say that all twenty take 20 s."""
    ended = trial("cheap", 0.9, 10)
    assert choose([ended, trial("dear", 0.92, 1, runs=True, epochs=(4, 20))]) == "dear"
    assert choose([ended, trial("dear", 0.92, 2, runs=True, epochs=(4, 20))]) == "cheap"
    assert choose([ended, trial("dear", 0.8, 1, runs=True, epochs=(4, 20))]) == "cheap"


def test_without_the_one_that_leads_only_what_may_overtake_it_is_worth_a_trial() -> None:
    trials = [trial("cheap", 0.5, 1), trial("middling", 0.93, 10), trial("dear", 0.95, 100)]
    allocation = Allocation(trials, METRICS["accuracy"])
    assert allocation.worth_a_trial(NAMES) == list(NAMES)
    assert allocation.worth_a_trial(NAMES[:2]) == ["middling"]
    assert allocation.worth_a_trial(NAMES[:1]) == []
    often = Allocation([*trials, *[trial("middling", 0.93, 10)] * 50], METRICS["accuracy"])
    assert often.worth_a_trial(NAMES[:2]) == []
    assert Allocation([], METRICS["accuracy"]).worth_a_trial(NAMES) == list(NAMES)


def test_of_equals_the_cheaper_one_is_next() -> None:
    assert choose([trial("cheap", 0.9, 1), trial("dear", 0.9, 300)]) == "cheap"


def test_one_that_is_far_behind_is_not_tried_because_it_is_cheap() -> None:
    trials = [trial("cheap", 0.5, 1), trial("middling", 0.93, 10), trial("dear", 0.95, 100)]
    assert choose(trials) == "middling"
    assert choose([*trials, trial("dear", 0.99, 100)]) == "dear"


def test_one_that_was_tried_often_gives_way() -> None:
    trials = [trial("cheap", 0.90, 1), trial("dear", 0.95, 2)]
    chosen = []
    for _ in range(60):
        chosen.append(choose(trials))
        trials.append(trial(chosen[-1], runs=True))
    assert set(chosen) == {"cheap", "dear"}
    assert chosen.count("dear") > 3 * chosen.count("cheap")


def choose_after(**trials: Sequence[Sequence[tuple[float, float]]]) -> str:
    """After trials that ended with these epochs, each an accuracy and seconds, by architecture."""
    ended = []
    for name, epochs in [(name, epochs) for name, found in trials.items() for epochs in found]:
        last = trial(name, *epochs[-1])
        stored = {
            f"epoch_{number}": EpochMetrics(
                epoch=number, seconds=seconds, val_accuracy=accuracy, val_loss=1.0
            ).to_json()
            for number, (accuracy, seconds) in enumerate(epochs, start=1)
        }
        config = {"architecture": name, "epochs": len(epochs)}
        last.frozen.user_attrs.update(stored, config=config)
        ended.append(last)
    return Allocation(ended, METRICS["accuracy"]).choose(list(trials))


def test_an_architecture_is_as_good_as_its_best_epoch_and_costs_what_a_trial_takes() -> None:
    assert choose_after(dear=[[(0.6, 2)]], cheap=[[(0.9, 1), (0.5, 1)]]) == "cheap"
    assert choose_after(dear=[[(0.93, 1)]] * 2, cheap=[[(0.95, 1)], [(0.5, 1)]]) == "cheap"
    assert choose_after(cheap=[[(0.9, 10), (0.9, 10), (0.9, 1)]], dear=[[(0.9, 5)]]) == "dear"
    trials = {"cheap": [[(0.9, 30)], [(0.9, 1)]], "dear": [[(0.9, 10)], [(0.9, 10)]]}
    assert choose_after(**trials) == "dear"


def test_one_that_diverged_is_far_behind() -> None:
    trials = [trial("cheap", float("nan"), 1), trial("dear", 0.9, 100)]
    assert choose(trials) == "dear"


def test_who_is_behind_is_told_by_the_metric_of_the_search() -> None:
    """The cheap one always answers the commonest class of 20 to 1."""
    cheap = trial("cheap", 0.952, 1, val_balanced_accuracy=0.5, val_loss=0.19)
    dear = trial("dear", 0.93, 2, val_balanced_accuracy=0.93, val_loss=0.1)
    chosen = {m: choose([cheap, dear], m) for m in ("accuracy", "balanced_accuracy", "log_loss")}
    assert chosen == {"accuracy": "cheap", "balanced_accuracy": "dear", "log_loss": "dear"}
    lost = trial("cheap", 0.952, 1, val_balanced_accuracy=float("nan"), val_loss=float("nan"))
    assert {choose([lost, dear], m) for m in ("balanced_accuracy", "log_loss")} == {"dear"}


def test_a_perfect_one_leaves_something_to_gain() -> None:
    trials = [trial("cheap", 1.0, 1), trial("dear", 1.0, 300)]
    assert choose(trials) == "cheap"


def test_at_rungs_a_report_is_compared_with_reports_and_an_architecture_with_itself() -> None:
    cheap, dear, published = trial("cheap"), trial("dear"), trial("cheap", origin="published")
    assert rung_group(cheap, by_architecture=False) == rung_group(dear, by_architecture=False)
    assert rung_group(cheap, by_architecture=True) != rung_group(dear, by_architecture=True)
    for by_architecture in (True, False):
        own = rung_group(cheap, by_architecture=by_architecture)
        assert own != rung_group(published, by_architecture=by_architecture)
