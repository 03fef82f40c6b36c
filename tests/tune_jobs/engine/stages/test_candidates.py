"""Which configuration wins, and which of its seeds is exported."""

from dataclasses import replace

from tests.tune_jobs.engine.results.examples import make_retrained
from trainables.metrics import METRICS, EpochMetrics, HeldOutMetrics
from tune_jobs.engine.search.limits import ModelLimits
from tune_jobs.engine.stages.candidates import Retrained, best_seed, choose_winner

ACCURACY, LOSS = METRICS["accuracy"], METRICS["log_loss"]


def reached(accuracy: float, loss: float, on_test: float, num_parameters: int = 1) -> EpochMetrics:
    test = HeldOutMetrics(loss=1.0, accuracy=on_test, macro_f1=on_test)
    return EpochMetrics(
        epoch=1,
        seconds=1.0,
        val_accuracy=accuracy,
        val_loss=loss,
        num_parameters=num_parameters,
        test=test,
    )


def retrained(number: int, *seeds: EpochMetrics) -> Retrained:
    return replace(make_retrained(number, *(0.0 for _ in seeds)), metrics=seeds)


def test_the_best_mean_on_validation_wins_of_those_that_may() -> None:
    mean = retrained(1, reached(0.9, 0.5, 0.1), reached(0.7, 0.4, 0.1))
    best = retrained(2, reached(0.8, 0.3, 0.2), reached(0.85, 0.3, 0.2))
    on_test = retrained(3, reached(0.7, 0.6, 0.99), reached(0.7, 0.6, 0.99))
    short = replace(retrained(4, reached(0.95, 0.1, 0.9)), all_seeds_ended=False)
    large = retrained(5, reached(0.95, 0.1, 0.9, 1001), reached(0.95, 0.1, 0.9, 1001))
    results = [mean, best, on_test, short, large]
    limits = ModelLimits(parameters=1000)
    assert choose_winner(results, ACCURACY, limits) is best
    assert choose_winner(results, LOSS, limits) is best
    assert choose_winner(results, ACCURACY, ModelLimits()) is large
    assert choose_winner([short], ACCURACY, limits) is None


def test_the_seed_that_is_best_on_validation_is_exported() -> None:
    """Of equal ones that of the lower loss."""
    seeds = reached(0.8, 0.5, 0.9), reached(0.9, 0.5, 0.1), reached(0.9, 0.4, 0.1)
    assert best_seed(retrained(1, *seeds), ACCURACY) == 2
    seeds = reached(0.8, 0.5, 0.9), reached(0.7, 0.2, 0.1), reached(0.9, 0.4, 0.1)
    assert best_seed(retrained(1, *seeds), LOSS) == 1


def test_of_equals_the_earlier_trial_wins_in_any_order() -> None:
    results = [make_retrained(3, 0.9), make_retrained(0, 0.9), make_retrained(1, 0.8)]
    for order in (results, results[::-1]):
        winner = choose_winner(order, ACCURACY, ModelLimits())
        assert winner
        assert winner.candidate.trial_number == 0
