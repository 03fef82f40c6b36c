"""The charts of the search, from a real study."""

import itertools
import math
from typing import Any

import numpy as np
import optuna
import pytest
from matplotlib.figure import Figure
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from searchspaces.training import SCHEDULES
from trainables.metrics import METRICS, Metric
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.report.chart import in_style, to_svg
from tune_jobs.engine.results.report.search_charts import draw_search, draw_slice

from .examples import texts_of, tips_of

ACCURACY = METRICS["accuracy"]

SHARES = {"lr": 0.75, "schedule": 0.15, "layers": 0.1}

SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 1e-1, log=True),
    "layers": IntDistribution(1, 3),
    "schedule": CategoricalDistribution(SCHEDULES),
}


def record_of(study: Study, metric: Metric = ACCURACY) -> Record:
    return Record(study, lambda trial: f"trial-{trial.number}", metric)


def make_trial(
    number: int, params: dict[str, Any], value: float | None, space: dict[str, Any] = SPACE
) -> FrozenTrial:
    """Of three epochs, or stopped after one of them where it has no value."""
    num_epochs = 1 if value is None else 3
    trial = create_trial(
        state=TrialState.PRUNED if value is None else TrialState.COMPLETE,
        value=value,
        params=params,
        distributions=space,
        user_attrs={f"epoch_{e}": {"epoch": e, "seconds": 1.0} for e in range(1, num_epochs + 1)},
    )
    trial.number = number
    return trial


@pytest.fixture(scope="module")
def study() -> Study:
    """Eight trials, of which the last is stopped after its first epoch; `lr` decides."""
    study = optuna.create_study(direction="maximize")
    values = [0.2, 0.5, 0.4, 0.9, 0.7, 0.6, 0.8, None]
    for number, value in enumerate(values):
        schedule = SCHEDULES[number % len(SCHEDULES)]
        params = {"lr": 0.1 * (value or 0.1), "layers": 1 + number % 3, "schedule": schedule}
        study.add_trial(make_trial(number, params, value))
    return study


def test_the_charts_say_what_the_search_saw(study: Study) -> None:
    charts = draw_search(record_of(study), SHARES)
    captions = [chart.caption for chart in charts]
    assert captions[:3] == [
        "Trials in their order, and the best so far",
        "Trials by epoch reached: what early stopping left",
        "Importance for how far a trial came and its metric there (fANOVA, all trials; shares that "
        "add up to 1)",
    ]
    assert captions[3:] == [f"Full-budget trials by {name}" for name in SHARES]
    history, survival, importances, by_lr = charts[:4]
    assert history.text == "Validation accuracy of 7 full-budget trials; best 0.9000 in trial 3"
    assert tips_of(to_svg(history))[:2] == ["trial 0: 0.2000", "trial 1: 0.5000"]
    assert survival.text == "8 trials began; 7 reached epoch 3"
    assert importances.text == "Importance of hyperparameters: lr 0.75, schedule 0.15, layers 0.10"
    assert texts_of(to_svg(importances))[-3:] == ["0.75", "0.15", "0.10"]
    assert by_lr.text == "Validation accuracy of 7 full-budget trials by lr"
    assert tips_of(to_svg(by_lr))[1] == "trial 1: lr 0.05, 0.5000"


def test_the_best_so_far_is_a_step_from_trial_to_trial(study: Study) -> None:
    [best] = draw_search(record_of(study), SHARES)[0].figure.axes[0].lines
    assert np.asarray(best.get_xydata()).tolist() == [
        *([0, 0.2], [1, 0.5], [2, 0.5], [3, 0.9], [4, 0.9], [5, 0.9], [6, 0.9])
    ]
    assert best.get_drawstyle() == "steps-post"


def test_a_metric_that_is_minimised_is_best_where_it_is_lowest(study: Study) -> None:
    history = draw_search(record_of(study, METRICS["log_loss"]), SHARES)[0]
    assert history.text == "Validation log loss of 7 full-budget trials; best 0.2000 in trial 0"
    [best] = history.figure.axes[0].lines
    assert set(np.asarray(best.get_ydata()).tolist()) == {0.2}


def test_survival_counts_the_trials_that_reached_an_epoch(study: Study) -> None:
    axes = draw_search(record_of(study), SHARES)[1].figure.axes[0]
    [line] = axes.lines
    assert np.asarray(line.get_xydata()).tolist() == [[1, 8], [2, 7], [3, 7]]
    assert axes.get_ylim()[0] == 0


def test_a_search_without_an_end_has_no_charts() -> None:
    study = optuna.create_study(direction="maximize")
    assert draw_search(record_of(study), {}) == []
    study.add_trial(make_trial(0, {"lr": 0.1, "layers": 1, "schedule": "cosine"}, None))
    assert draw_search(record_of(study), {}) == []


def test_what_varied_is_shown_where_importances_are_not_known() -> None:
    study = optuna.create_study(direction="maximize")
    for number in range(6):
        params = {"lr": 0.01 * (1 + number), "layers": 1, "schedule": "cosine"}
        study.add_trial(make_trial(number, params, 0.5))
    assert [chart.caption.partition(",")[0] for chart in draw_search(record_of(study), {})] == [
        "Trials in their order",
        "Trials by epoch reached: what early stopping left",
        "Full-budget trials by lr",
    ]


def test_a_parameter_that_few_trials_have_is_shown_of_these() -> None:
    study = optuna.create_study(direction="maximize")
    for number in range(6):
        params: dict[str, Any] = {"lr": 0.01}
        if number % 2:
            params["layers"] = 1 + number % 3
        study.add_trial(make_trial(number, params, 0.5, {name: SPACE[name] for name in params}))
    by_layers = draw_search(record_of(study), {"layers": 1.0})[-1]
    assert by_layers.text == "Validation accuracy of 3 full-budget trials by layers"


@in_style()
def boxes_of(figure: Figure, axis: str) -> list[Any]:
    """Where the labels that an axis shows lie, in pixels."""
    figure.draw_without_rendering()
    axes, place = figure.axes[0], "xy".index(axis)
    low, high = sorted((axes.get_xlim, axes.get_ylim)[place]())
    labels = (axes.get_xticklabels, axes.get_yticklabels)[place]()
    shown = [label for label in labels if low <= label.get_position()[place] <= high]
    return [label.get_window_extent() for label in shown]


@pytest.mark.parametrize("name", ["lr", "layers", "schedule"])
def test_labels_of_an_axis_do_not_run_into_each_other(study: Study, name: str) -> None:
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    figure = draw_slice(complete, name, ACCURACY).figure
    for axis in "xy":
        boxes = boxes_of(figure, axis)
        assert len(boxes) >= 2
        for one, other in itertools.pairwise(boxes):
            assert not one.overlaps(other)
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)


def test_every_choice_is_named_in_full_and_tried_ones_are_told(study: Study) -> None:
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    svg = to_svg(draw_slice(complete, "schedule", ACCURACY))
    assert [text for text in texts_of(svg) if text in SCHEDULES] == list(SCHEDULES)
    assert tips_of(svg) == [
        f"trial {t.number}: schedule {t.params['schedule']}, {t.value:.4f}" for t in complete
    ]


def ticks(low: float, high: float, distribution: BaseDistribution) -> list[float]:
    """Those shown of an axis across, between the values."""
    trials = [
        make_trial(n, {"value": value}, 0.1 * n, {"value": distribution})
        for n, value in enumerate((low, high))
    ]
    axes = draw_slice(trials, "value", ACCURACY).figure.axes[0]
    return [tick for tick in axes.get_xticks() if low <= tick <= high]


@pytest.mark.parametrize(("low", "high"), [(1e-8, 1e-1), (1e-4, 1e-2), (2e-3, 8e-3), (3e-3, 4e-3)])
def test_a_logarithmic_axis_has_ticks_in_any_range(low: float, high: float) -> None:
    found = ticks(low, high, FloatDistribution(1e-9, 1, log=True))
    assert 2 <= len(found) <= 9
    if high / low >= 100:
        assert all(math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in found)


def test_whole_numbers_have_whole_ticks() -> None:
    assert ticks(1, 3, IntDistribution(1, 8)) == [1, 2, 3]


def test_two_names_that_are_cut_alike_have_a_bar_each() -> None:
    names = [f"a_long_name_of_a_hyperparameter_{n}" for n in range(2)]
    space: dict[str, Any] = {name: FloatDistribution(0, 1) for name in names}
    study = optuna.create_study(direction="maximize")
    for number in range(6):
        params = {names[0]: 0.1 * number, names[1]: 0.5 - 0.02 * number}
        study.add_trial(make_trial(number, params, 0.1 * number, space))
    [_, _, importances, *_] = draw_search(record_of(study), dict.fromkeys(names, 0.5))
    assert len(importances.figure.axes[0].patches) == 2
