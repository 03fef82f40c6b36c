"""The rules against direct transcriptions, on recorded curves."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest

from tune_jobs.engine.search.early_stopping import (
    Asha,
    Median,
    Never,
    RungSettings,
    StoppingRule,
    WithinGroups,
)

Rule = TypeVar("Rule", bound=StoppingRule)


def build(
    rule: Callable[[RungSettings], Rule],
    *,
    grace_period: int,
    reduction_factor: int = 3,
    brackets: int = 1,
    epochs: int = 27,
) -> Rule:
    return rule(
        RungSettings(
            grace_period=grace_period,
            reduction_factor=reduction_factor,
            brackets=brackets,
            epochs=epochs,
        )
    )


def transcribed_decision(before: list[float], value: float, eta: int) -> bool:
    """The first continues; a later one if it is at least the (1 - 1/eta) quantile of the
    values recorded there before it, by numpy's linear percentile."""
    return not before or value >= float(np.percentile(before, 100 * (1 - 1 / eta)))


@pytest.mark.parametrize("eta", [2, 3, 4])
@pytest.mark.parametrize("epochs", [9, 20, 27])
def test_asha_is_the_rule_on_random_curves(eta: int, epochs: int) -> None:
    rng = np.random.default_rng(eta * 100 + epochs)
    curves = np.round(rng.uniform(size=(40, epochs)), 1)  # rounded, so that ties occur
    asha = build(Asha, grace_period=1, reduction_factor=eta, brackets=1, epochs=epochs)
    recorded: dict[int, list[float]] = {
        level: [] for level in (eta**k for k in range(9)) if level < epochs
    }
    assert list(asha.rungs()) == list(recorded)
    stopped = 0
    for number, curve in enumerate(curves):
        for epoch, value in enumerate(curve, start=1):
            expected = True
            if epoch in recorded:
                expected = transcribed_decision(recorded[epoch], value, eta)
                recorded[epoch].append(value)
            assert asha.goes_on(number, epoch, value) is expected
            if not expected:
                stopped += 1
                break
    assert 0 < stopped < len(curves)
    assert asha.rungs() == {level: len(values) for level, values in recorded.items()}


@pytest.mark.parametrize("brackets", [1, 2, 3])
@pytest.mark.parametrize(("grace_period", "eta", "epochs"), [(1, 3, 27), (2, 3, 20), (3, 2, 11)])
def test_asha_is_the_rule_whatever_the_order_of_arrival(
    grace_period: int, eta: int, epochs: int, brackets: int
) -> None:
    """Many trials at once, whose reports come in a random order, into brackets of their own."""
    rng = np.random.default_rng(grace_period * 1000 + epochs * 10 + brackets)
    curves = np.round(rng.uniform(size=(60, epochs)), 1)
    asha = build(
        Asha, grace_period=grace_period, reduction_factor=eta, brackets=brackets, epochs=epochs
    )
    rungs = [e for e in range(1, epochs) if e in {grace_period * eta**k for k in range(9)}]
    recorded: dict[tuple[int, int], list[float]] = {}
    running = dict.fromkeys(range(len(curves)), 0)
    stopped = 0
    while running:
        number = int(rng.choice(list(running)))
        running[number] += 1
        epoch, bracket = running[number], number % brackets
        value = float(curves[number, epoch - 1])
        expected = True
        if epoch in rungs[bracket:]:
            before = recorded.setdefault((bracket, epoch), [])
            expected = transcribed_decision(before, value, eta)
            before.append(value)
        assert asha.goes_on(number, epoch, value) is expected
        stopped += not expected
        if not expected or epoch == epochs:
            del running[number]
    assert 0 < stopped < len(curves)


def test_ties_continue() -> None:
    asha = build(Asha, grace_period=1, reduction_factor=3, brackets=1, epochs=9)
    assert all(asha.goes_on(number, 1, 0.5) for number in range(5))


def test_a_repeated_report_counts_once() -> None:
    asha = build(Asha, grace_period=1, reduction_factor=3, brackets=1, epochs=9)
    asha.goes_on(0, 1, 0.9)
    asha.goes_on(0, 1, 0.9)
    assert asha.rungs()[1] == 1
    median = build(Median, grace_period=1)
    for number in (0, 0, 1, 1):
        assert median.goes_on(number, 1, 0.9)
    assert median.goes_on(2, 1, 0.1), "two others are too few to compare with"


def test_a_later_bracket_skips_the_first_rungs() -> None:
    asha = build(Asha, grace_period=1, reduction_factor=3, brackets=2, epochs=27)
    asha.goes_on(0, 1, 0.9)
    assert not asha.goes_on(2, 1, 0.1)
    assert asha.goes_on(1, 1, 0.1), "trial 1 is in bracket 1, whose first rung is epoch 3"
    asha.goes_on(1, 3, 0.9)
    assert not asha.goes_on(3, 3, 0.1)


def test_there_is_no_rung_at_the_full_budget() -> None:
    assert list(build(Asha, grace_period=3, reduction_factor=3, brackets=1, epochs=9).rungs()) == [
        3
    ]


def test_median_stops_what_is_below_the_others_running_means() -> None:
    median = build(Median, grace_period=2)
    for number, value in enumerate((0.4, 0.6, 0.8)):
        assert median.goes_on(number, 1, value)
        assert median.goes_on(number, 2, value)
    assert median.goes_on(3, 1, 0.1), "within the grace period"
    assert median.goes_on(4, 2, 0.6), "a tie"
    assert not median.goes_on(3, 2, 0.5)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_median_is_the_rule_whatever_the_order_of_arrival(share: float) -> None:
    """Also of trials that report a share of their epochs: an estimator is fitted at rungs alone."""
    rng = np.random.default_rng(0)
    curves = np.round(rng.uniform(size=(40, 9)), 1)
    reports = rng.uniform(size=curves.shape) < share
    median = build(Median, grace_period=2)
    reported: dict[int, dict[int, float]] = {}
    running = dict.fromkeys(range(len(curves)), 0)
    stopped = 0
    while running:
        number = int(rng.choice(list(running)))
        running[number] += 1
        epoch = running[number]
        expected = True
        if reports[number, epoch - 1]:
            own = reported.setdefault(number, {})
            own[epoch] = float(curves[number, epoch - 1])
            means = [
                np.mean([value for passed, value in values.items() if passed <= epoch])
                for other, values in reported.items()
                if other != number and min(values) <= epoch <= max(values)
            ]
            few = len(means) < 3
            expected = bool(epoch < 2 or few or max(own.values()) >= np.median(means))
            assert median.goes_on(number, epoch, own[epoch]) is expected
        stopped += not expected
        if not expected or epoch == 9:
            del running[number]
    assert 0 < stopped < len(curves)


def test_never_never_stops() -> None:
    assert Never().goes_on(0, 1, 0.0)


def test_groups_are_not_compared_with_each_other() -> None:
    asha = build(Asha, grace_period=1, reduction_factor=2, epochs=4)
    rule = WithinGroups(asha, lambda number: "even" if number % 2 == 0 else "odd")
    assert rule.rungs() == {1: 0, 2: 0}
    assert rule.goes_on(0, 1, 0.9)
    assert rule.goes_on(1, 1, 0.1), "the first of its group"
    assert not rule.goes_on(2, 1, 0.5)
    assert rule.goes_on(3, 1, 0.2)
    assert rule.rungs() == {1: 4, 2: 0}
