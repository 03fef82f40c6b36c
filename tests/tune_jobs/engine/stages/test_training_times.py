"""What trainings are estimated to take."""

from tests.tune_jobs.engine.stages.searches import report
from tests.tune_jobs.engine.stages.timed_runs import cost
from tune_jobs.engine.stages.training_times import RETRAINING_SECONDS, TrainingTimes


def test_times_are_estimated_from_what_was_reported() -> None:
    times = TrainingTimes(10, {"net": cost(2.0)})
    assert times.expected("net", 5) == 10.0
    times.begin(0, {"architecture": "net", "epochs": 10})
    assert (times.expected("net"), times.expected("other")) == (20.0, 0.0)
    times.take(0, report(1, 0.5, seconds=9.0).metrics)
    assert (times.expected("net"), times.rest(0)) == (90.0, 18.0), "the probe has seen less"
    times.take(0, report(2, 0.5, seconds=3.0).metrics)
    assert (times.expected("net"), times.rest(0)) == (30.0, 24.0), "the first epoch warms up"
    assert times.retraining(0) == 30.0 * 1.1 + RETRAINING_SECONDS
    times.begin(1, {"architecture": "svm", "epochs": 10})
    times.take(1, report(1, 0.5, seconds=1.0, train_fraction=0.1).metrics)
    assert times.expected("svm") == times.rest(1) == 10.0, "one fit on all images"
    assert times.expected(None) == 20.0


def test_the_first_trial_of_an_architecture_computes_its_features() -> None:
    times = TrainingTimes(10, {"svm": cost(0.0, features_seconds=60.0)})
    assert (times.expected("svm"), times.expected_retraining("svm")) == (60.0, RETRAINING_SECONDS)
    times.begin(0, {"architecture": "svm", "epochs": 10})
    times.take(0, report(1, 0.5, seconds=1.0, train_fraction=1.0).metrics)
    assert times.expected("svm") == 1.0


def test_of_folds_a_trial_trains_all_and_a_retraining_one() -> None:
    times = TrainingTimes(10, {"net": cost(2.0)}, num_folds=5)
    assert (times.expected("net"), times.expected_retraining("net")) == (100.0, 23.0)
    times.begin(0, {"architecture": "net", "epochs": 10})
    times.take(0, report(1, 0.5, seconds=15.0).metrics)
    assert (times.expected("net"), times.rest(0)) == (150.0, 90.0)
    times.take_retraining(0, report(1, 0.5, seconds=4.0).metrics)
    assert (times.expected("net"), times.retraining(0)) == (200.0, 45.0)
