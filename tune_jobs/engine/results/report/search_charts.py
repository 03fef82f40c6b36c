"""The charts of the search: what it saw, trial by trial.

`optuna.visualization.matplotlib` has most of them, and is not used: it is experimental, which it
says in a warning each time, sets pyplot's style for the whole process, clips and overlaps long
names, and cannot tell the trials that a point is of.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from trainables.metrics import Metric
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.report.chart import WIDTH, Chart, in_style, shorten

MOST_SLICES = 6


def draw_search(search: Record, importances: Mapping[str, float]) -> list[Chart]:
    """Draw what the search's trials show, without charts that would show nothing.

    Args:
        importances: The share of each parameter, the largest first; empty: it is not known.
    """
    metric = search.metric
    complete = search.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    charts = []
    if len(complete) > 1:
        charts.append(draw_history(complete, metric))
    last = [max(trial.epochs, default=0) for trial in search.trials()]
    if max(last, default=0) > 1:
        charts.append(draw_survival(last))
    if importances:
        charts.append(draw_importances(importances))
    varied = _varied(complete)
    shown = [name for name in importances or varied if name in varied][:MOST_SLICES]
    return charts + [draw_slice(varied[name], name, metric) for name in shown]


def _varied(complete: Sequence[FrozenTrial]) -> dict[str, list[FrozenTrial]]:
    """Return the trials that have a parameter, by its name, where it was not always the same."""
    having: dict[str, list[FrozenTrial]] = {}
    for trial in complete:
        for name in trial.params:
            having.setdefault(name, []).append(trial)
    return {
        name: trials
        for name, trials in sorted(having.items())
        if len({str(trial.params[name]) for trial in trials}) > 1
    }


@in_style()
def draw_history(complete: Sequence[FrozenTrial], metric: Metric) -> Chart:
    """Draw what the full-budget trials reached, in their order, and the best so far."""
    numbers = [trial.number for trial in complete]
    values = [trial.value or 0.0 for trial in complete]
    figure = Figure()
    axes = figure.subplots()
    is_maximised = metric.direction == "maximize"
    best = np.maximum if is_maximised else np.minimum
    axes.step(numbers, best.accumulate(values), where="post", alpha=0.6)
    axes.scatter(numbers, values, 20, gid="trials")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=f"validation {metric.words}")
    return Chart(
        caption="Trials in their order, and the best so far",
        text=f"Validation {metric.words} of {len(values)} full-budget trials; best "
        f"{best.reduce(values):.4f} in trial {numbers[values.index(best.reduce(values))]}",
        figure=figure,
        tips={"trials": [f"trial {n}: {v:.4f}" for n, v in zip(numbers, values, strict=True)]},
    )


@in_style()
def draw_survival(last: Sequence[int]) -> Chart:
    """Draw how many trials reached each epoch.

    Args:
        last: The last epoch of each trial.
    """
    epochs = list(range(1, max(last) + 1))
    counts = [sum(reached >= epoch for reached in last) for epoch in epochs]
    figure = Figure()
    axes = figure.subplots()
    axes.plot(epochs, counts, linewidth=1.8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="trials", ylim=(0, 1.05 * len(last)))
    return Chart(
        caption="Trials by epoch reached: what early stopping left",
        text=f"{len(last)} trials began; {counts[-1]} reached epoch {epochs[-1]}",
        figure=figure,
    )


@in_style()
def draw_importances(importances: Mapping[str, float]) -> Chart:
    """Draw how much of the differences between trials each hyperparameter explains."""
    figure = Figure(figsize=(WIDTH, 0.26 * len(importances) + 0.2))
    axes = figure.subplots()
    bars = axes.barh(range(len(importances)), list(importances.values()), 0.66)
    axes.bar_label(bars, fmt="{:.2f}", padding=4)
    axes.set_yticks(range(len(importances)), [shorten(name, 24) for name in importances])
    axes.set(xticks=[], ylim=(len(importances) - 0.5, -0.5))
    axes.margins(x=0.12)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    shares = ", ".join(f"{name} {value:.2f}" for name, value in importances.items())
    return Chart(
        caption="Importance for how far a trial came and its metric there (fANOVA, all trials; "
        "shares that add up to 1)",
        text=f"Importance of hyperparameters: {shares}",
        figure=figure,
    )


@in_style()
def draw_slice(complete: Sequence[FrozenTrial], name: str, metric: Metric) -> Chart:
    """Draw the metric by a hyperparameter; choices lie below each other, where names have room."""
    values = [trial.params[name] for trial in complete]
    reached = [trial.value or 0.0 for trial in complete]
    distribution = complete[0].distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        choices = list(distribution.choices)
        figure = Figure(figsize=(WIDTH, max(3, 0.26 * len(choices) + 0.6)))
        axes = figure.subplots()
        axes.scatter(reached, [choices.index(v) for v in values], 20, gid="trials")
        axes.set_yticks(range(len(choices)), [shorten(str(choice), 24) for choice in choices])
        axes.set(xlabel=f"validation {metric.words}", ylabel=name, ylim=(len(choices) - 0.5, -0.5))
    else:
        figure = Figure()
        axes = figure.subplots()
        axes.scatter(values, reached, 20, gid="trials")
        axes.set(xlabel=name, ylabel=f"validation {metric.words}")
        if getattr(distribution, "log", False):
            decades = np.log10(max(values) / min(values))
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1,) if decades >= 2 else (1, 2, 5)))
            axes.xaxis.set_minor_locator(NullLocator())
        elif isinstance(distribution, IntDistribution):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.xaxis.set_major_formatter("{x:g}")
    told = zip(complete, values, reached, strict=True)
    return Chart(
        caption=f"Full-budget trials by {name}",
        text=f"Validation {metric.words} of {len(values)} full-budget trials by {name}",
        figure=figure,
        tips={"trials": [f"trial {t.number}: {name} {v}, {a:.4f}" for t, v, a in told]},
    )
