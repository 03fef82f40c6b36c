"""What the first lines of the page say, by what the rows hold."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.tune_jobs.engine.parts import make_info
from tune_jobs.engine.results.report.answer import answer, describe_fronts
from tune_jobs.engine.results.row import Row

MakeRow = Callable[..., Row]
INFO = make_info(data="digits: 10 images", notes=("one is odd",))

WINNER: dict[str, Any] = {
    "winner": True,
    "val_accuracy": 0.95,
    "search_val_accuracy": 0.96,
    "selection_gap": 0.06,
    "test_accuracy_low": 0.88,
    "test_accuracy_high": 0.92,
    "tie_group": 1,
    "gain": 0.02,
    "gain_low": 0.01,
    "gain_high": 0.03,
    "gain_over": 0,
    "gain_p_value": 0.001,
    "num_parameters": 1234,
    "multiply_adds": 5_600_000,
    "latency_seconds": 0.002,
    "throughput": 1500.0,
    "peak_host_bytes": 3 * 2**29,
    "peak_device_bytes": 2**31,
    "search_cpu_seconds": 120.0,
    "search_gpu_seconds": 60.0,
}


def test_the_answer_comes_in_the_order_of_interest(make_row: MakeRow) -> None:
    other = make_row(0.89, trial_number=2, tie_group=1)
    sentences = answer([make_row(0.9, **WINNER), other], INFO)
    said = (
        *("test accuracy 0.9000, 95 % interval 0.8800 to 0.9200", "Gain over the published"),
        *("trial 0: +0.0200, 95 % interval +0.0100 to +0.0300 (p = 0.001)", "1,234 parameters"),
        *("5.6M multiply-adds per image", "2 ms for one image", "1,500 images per second"),
        *("1.5 GiB of host memory", "2 GiB of GPU memory", "120 CPU-seconds and 60 GPU-seconds"),
        *("among 3 configurations tried", "rank 1 by test, which it shares with 1 other."),
        *(
            "The search saw 0.9600 on validation: a selection gap of +0.0600 to test.",
            "digits: 10 images.",
        ),
        "Note: one is odd.",
    )
    told = " ".join(sentences)
    places = [told.find(text) for text in said]
    assert -1 not in places, said[places.index(-1)]
    assert places == sorted(places)
    assert sentences[0].startswith("The winner is trial 1 (search), cnn: test accuracy 0.9000")


def test_what_a_report_claimed_is_told_beside_what_was_reached(make_row: MakeRow) -> None:
    published = {"origin": "published", "reported_accuracy": 0.72, "reported_metric": "val"}
    rows = [
        make_row(0.9, **WINNER),
        make_row(0.7, trial_number=0, system="21a", **published),
        make_row(None, trial_number=3, system="<9>", **published),
    ]
    told = " ".join(answer(rows, INFO))
    assert "The report of system 21a claims 0.7200 (val)" in told
    assert "its configuration, trial 0, reached 0.7000 on test here, in 1 epoch." in told
    assert "The report of system <9> claims 0.7200 (val)" in told
    assert "trial 3, diverged here." in told


def test_an_ensemble_is_told_with_its_cost_and_gain(make_row: MakeRow) -> None:
    members = json.dumps([{"trial_number": 1, "seed": s, "weight": 0.5} for s in (1, 2)])
    joined: dict[str, Any] = {
        **{"trial_number": -1, "origin": "ensemble", "ensemble": members, "tie_group": 1},
        **{"num_parameters": 2468, "multiply_adds": 11_200_000, "latency_seconds": 0.004},
        **{"gain": 0.01, "gain_low": -0.01, "gain_high": 0.03, "gain_p_value": 0.3},
        **{"train_seconds": 0.001, "val_accuracy": 0.99},
    }
    told = answer([make_row(0.9, **WINNER, train_seconds=9.0), make_row(0.91, **joined)], INFO)
    said = (
        "The ensemble of 2 models reaches test accuracy 0.9100, for 2.5k parameters, 11.2M "
        "multiply-adds, 4 ms for one image: gain over the model that the winner exports +0.0100, "
        "95 % interval -0.0100 to +0.0300 (p = 0.3)."
    )
    assert said in told
    assert "trial -1" not in " ".join(told)
    exceeding = answer([make_row(0.9, **WINNER), make_row(0.91, **joined, exceeds="much")], INFO)
    assert f"{said[:-1]}; it exceeds a limit: much." in exceeding
    assert "cannot win" not in " ".join(exceeding)


def test_without_a_winner_the_page_says_so(make_row: MakeRow) -> None:
    assert answer([make_row(0.5)], INFO) == ["No configuration ended on every seed."]


def test_the_best_of_those_that_cost_a_tenth_is_named(make_row: MakeRow) -> None:
    winner = make_row(0.9, **WINNER, num_seeds=2, train_seconds=200.0)
    cheap = {"num_seeds": 2, "train_seconds": 10.0, "architecture": "svm"}
    best = make_row(0.88, trial_number=2, val_accuracy=0.9, **cheap)
    worse = make_row(0.89, trial_number=3, val_accuracy=0.8, **cheap)
    told = " ".join(answer([winner, worse, best], INFO))
    assert "a tenth of the time or less is trial 2, svm, test accuracy 0.8800, 20 times as" in told
    with_features = make_row(0.88, trial_number=2, val_accuracy=0.9, features_seconds=6.0, **cheap)
    assert "a tenth of the time" not in " ".join(answer([winner, with_features], INFO))
    too_large = make_row(0.9, trial_number=4, val_accuracy=0.99, exceeds="much", **cheap)
    assert "time or less is trial 2, svm" in " ".join(answer([winner, too_large, best], INFO))


def test_the_best_of_cheap_ones_is_so_by_the_metric_of_the_search(make_row: MakeRow) -> None:
    of_metric = {"metric": "balanced_accuracy", "test_balanced_accuracy": 0.7}
    winner = make_row(0.9, **WINNER, **of_metric, val_metric=0.75, train_seconds=200.0)
    cheap = {**of_metric, "num_seeds": 2, "train_seconds": 10.0}
    best = make_row(0.8, trial_number=2, val_accuracy=0.8, val_metric=0.7, **cheap)
    right_more_often = make_row(0.9, trial_number=3, val_accuracy=0.9, val_metric=0.5, **cheap)
    told = " ".join(answer([winner, right_more_often, best], INFO))
    assert "a tenth of the time or less is trial 2, cnn, test balanced accuracy 0.7000" in told


def test_nothing_is_said_of_a_gain_that_is_not_known(make_row: MakeRow) -> None:
    """As where no default was trained to its end: that it was not beaten would be wrong."""
    without = WINNER | dict.fromkeys(("gain", "gain_low", "gain_high", "gain_p_value"))
    told = answer([make_row(0.9, **without)], INFO)
    assert told[1] == "No published (or default) configuration can be compared with it."
    of_default = answer([make_row(0.9, **without, origin="default")], INFO)
    assert of_default[1].startswith("The search found nothing better on validation than the")


def test_the_front_is_told_by_each_cost(make_row: MakeRow) -> None:
    winner = make_row(0.98, **(WINNER | {"latency_seconds": 0.02}), num_seeds=2, train_seconds=60.0)
    rows = [
        winner,
        make_row(0.97, trial_number=2, architecture="svm", train_seconds=2.0, latency_seconds=0.03),
        make_row(0.96, trial_number=3, train_seconds=8.0, latency_seconds=0.001),
        make_row(None, trial_number=4, train_seconds=0.1, latency_seconds=0.001),
    ]
    assert describe_fronts(rows) == {
        "training": "svm 0.9700 in 1 s (trial 2), cnn 0.9800 in 30 s (trial 1)",
        "latency": (
            "cnn 0.9600 in 1 ms for an image (trial 3), cnn 0.9800 in 20 ms for an image (trial 1)"
        ),
    }
    told = answer(rows, INFO)
    assert (
        "Accuracy by training: svm 0.9700 in 1 s (trial 2), cnn 0.9800 in 30 s (trial 1)." in told
    )
    networks = [row for row in rows if row.architecture == "cnn"]
    counted = [replace(row, multiply_adds=10**6 * row.trial_number) for row in networks]
    assert describe_fronts(counted)["size"] == "cnn 0.9800 with 1.0M multiply-adds (trial 1)"
    assert describe_fronts(rows[:1]) == {}


def test_another_metric_is_named_beside_the_accuracy(make_row: MakeRow) -> None:
    loss = {"metric": "log_loss", "test_loss": 0.25, "test_metric": 0.25, "val_metric": 0.2}
    ends = {"test_metric_low": 0.2, "test_metric_high": 0.3, "search_val_metric": 0.19}
    told = " ".join(answer([make_row(0.9, **(WINNER | loss | ends))], INFO))
    assert "cnn: test log loss 0.2500, 95 % interval 0.2000 to 0.3000; test accuracy 0.9000" in told
    assert "Gain (lower is better) over the published (or default) configuration" in told
    assert "Chosen by validation log loss (0.2000)" in told
    assert "The search saw 0.1900 on validation" in told


def test_what_exceeds_a_limit_is_told(make_row: MakeRow) -> None:
    large = make_row(0.95, trial_number=3, exceeds="2,000 parameters, above --max-parameters 1,000")
    said = "Trial 3 cannot win: 2,000 parameters, above --max-parameters 1,000."
    assert said in answer([make_row(0.9, **WINNER), large], INFO)
    assert answer([large], INFO) == [
        "No configuration that ended on every seed keeps to the limits.",
        said,
    ]
