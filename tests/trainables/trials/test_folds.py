"""A trial of several folds: the means of the models that would be trained one by one."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean, stdev

import pytest

from trainables.config import Configuration, Runtime
from trainables.config.features import Pixels
from trainables.datasets import ImageData, load_dataset
from trainables.features.extract import describe_all
from trainables.metrics import METRICS, EpochMetrics
from trainables.registry import default_of
from trainables.trials.attempt import Attempt
from trainables.trials.folds import average, train_folds
from trainables.trials.inputs import TrialInputs
from trainables.trials.report import EpochReport
from trainables.trials.trial import Trial
from trainables.worker.run_task import build_trial

CPU = Runtime(device="cpu")
MLP = {**default_of("mlp", 4), "batch_size": 16}
KNN = {"architecture": "knn", "epochs": 4, "k": 3}


@pytest.fixture
def data(tmp_path: Path) -> ImageData:
    return load_dataset("digits", data_dir=tmp_path / "data", train_size=90, folds=3)


def build(flat: Configuration, data: ImageData) -> list[Trial]:
    views = [data.in_fold(number) for number in range(len(data.folds))]
    inputs = [TrialInputs(data=view, features=describe_all(Pixels(), view)) for view in views]
    if flat is MLP:
        inputs = [replace(given, features=None) for given in inputs]
    return [build_trial(flat, given, CPU, seed=1) for given in inputs]


def same(one: EpochMetrics, other: EpochMetrics) -> bool:
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)


@pytest.mark.parametrize("flat", [MLP, KNN])
def test_an_epoch_is_the_mean_of_what_each_fold_gives_alone(
    flat: Configuration, data: ImageData, make_attempt: Callable[..., Attempt]
) -> None:
    attempt = replace(make_attempt(), rungs=(1, 2))
    alone = [
        list(trial.train(attempt.in_fold(10 + number)))
        for number, trial in enumerate(build(flat, data))
    ]
    together = list(train_folds(build(flat, data), attempt))
    assert len(together) == len(alone[0]) > 2
    for report, *parts in zip(together, *alone, strict=True):
        losses = [part.metrics.val_loss for part in parts]
        assert report.metrics.epoch == parts[0].metrics.epoch
        assert len(set(losses)) == 3
        assert report.metrics.val_loss == pytest.approx(fmean(losses))
        error = METRICS["log_loss"].standard_error(report.metrics)
        assert error == pytest.approx(stdev(losses) / math.sqrt(3))
    last = together[-1].metrics
    assert EpochMetrics.from_json(last.to_json()) == last
    assert set(last.val_standard_errors or {}) == {
        *("accuracy", "balanced_accuracy", "macro_f1", "auroc", "loss")
    }


def test_folds_whose_checkpoints_differ_go_on_as_if_never_interrupted(
    data: ImageData, make_attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    whole = [report.metrics for report in train_folds(build(MLP, data), make_attempt())]
    attempt = replace(make_attempt(), rungs=(1, 2))
    reports: Iterator[EpochReport] = train_folds(build(MLP, data), attempt)
    assert len(list(islice(reports, 3))) == 3
    trial = tmp_path / "trial"
    assert {path.name for path in trial.rglob("*.pt")} == {"000001.pt", "000002.pt"}
    (trial / "fold-1" / "000002.pt").write_bytes(b"damaged")
    again = list(train_folds(build(MLP, data), attempt))
    assert all(same(one.metrics, other) for one, other in zip(again, whole, strict=True))
    resumed = again[0].resumption
    assert resumed is not None
    assert (resumed.epoch, resumed.corrupt) == (1, ("fold-1/000002.pt",))


def test_one_fold_that_diverges_ends_the_trial(
    data: ImageData, make_attempt: Callable[..., Attempt]
) -> None:
    diverging = TrialInputs(data=data.in_fold(1))
    trials = build(MLP, data)
    trials[1] = build_trial({**MLP, "lr": 1e30}, diverging, CPU, seed=1)
    [report] = train_folds(trials, make_attempt())
    assert report.metrics.diverged
    assert EpochMetrics.from_json(report.metrics.to_json()).diverged


def test_what_a_fold_lacks_the_mean_lacks_too() -> None:
    one = EpochMetrics(epoch=1, seconds=1.0, val_loss=0.5, val_accuracy=0.8, val_auroc=0.9)
    other = EpochMetrics(epoch=1, seconds=2.0, val_loss=0.7, val_accuracy=0.6)
    mean = average([one, other])
    assert mean.seconds == 3.0
    assert mean.val_accuracy == pytest.approx(0.7)
    assert mean.val_auroc is None
    assert METRICS["accuracy"].standard_error(mean) == pytest.approx(0.1)
    assert METRICS["auroc"].standard_error(mean) is None
    assert METRICS["accuracy"].standard_error(one) is None
