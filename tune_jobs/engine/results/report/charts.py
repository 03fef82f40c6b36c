"""The charts of the page and of TensorBoard: how the trainings went, what the search saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.report.findings import Finding
from tune_jobs.engine.results.report.marks import Band, Bars, Chart, Dots, Line

MOST_SLICES = 6


def learning_curves(finding: Finding) -> Chart:
    """Validation accuracy by epoch: each seed, their mean, and what lies between the extremes."""
    spread = finding.spread()
    epochs = [after.epoch for after in spread]
    means = [after.mean for after in spread]
    seeds = [
        [metrics.val_accuracy for metrics in curve if metrics.epoch in epochs]
        for curve in finding.curves
    ]
    marks: list[Line | Band | Dots] = [
        Band(epochs, [after.low for after in spread], [after.high for after in spread]),
        *(Line(epochs, seed, "faint") for seed in seeds),
        Line(epochs, means, "main"),
    ]
    if len(epochs) == 1:  # of an estimator that is fitted once
        marks = [Dots(epochs, seed, [f"{seed[0]:.4f}"]) for seed in seeds]
    return Chart(
        marks=marks,
        title=f"Learning curves of the {finding.title}: validation accuracy of "
        f"{len(finding.curves)} seeds, mean {means[0]:.3f} after epoch {epochs[0]}, "
        f"{means[-1]:.3f} after epoch {epochs[-1]}",
        x="epoch",
        y="validation accuracy",
    )


def search_charts(study: Study) -> list[tuple[str, Chart | Bars]]:
    """(caption, chart): what Optuna's own plots show, of the trials that came to an end."""
    complete = [
        t for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if t.value
    ]
    charts: list[tuple[str, Chart | Bars]] = []
    if len(complete) > 1:
        charts.append(("Trials in their order, and the best so far", _history(complete)))
    trials = map(RecordedTrial, study.get_trials(deepcopy=False))
    last = [max(trial.epochs, default=0) for trial in trials]
    if max(last, default=0) > 1:
        charts.append(("Trials by epoch reached: what early stopping left", _survival(last)))
    importances = _importances(study, complete)
    names = list(importances)
    if names:
        title = "Importance of hyperparameters: " + ", ".join(
            f"{name} {value:.2f}" for name, value in importances.items()
        )
        values = list(importances.values())
        caption = "Importance for validation accuracy (shares that add up to 1)"
        charts.append((caption, Bars(labels=names, values=values, title=title)))
    for name in names[:MOST_SLICES]:
        charts.append((f"Full-budget trials by {name}", _slice(complete, name)))
    return charts


def _history(complete: Sequence[FrozenTrial]) -> Chart:
    numbers = [trial.number for trial in complete]
    values = [trial.value or 0.0 for trial in complete]
    best = np.maximum.accumulate(values).repeat(2)[:-1].tolist()
    steps = np.repeat(numbers, 2)[1:].tolist()
    labels = [f"trial {n}: {v:.4f}" for n, v in zip(numbers, values, strict=True)]
    return Chart(
        marks=[Line(steps, best, "step"), Dots(numbers, values, labels)],
        title=f"Validation accuracy of {len(values)} full-budget trials; best {max(values):.4f} "
        f"in trial {numbers[int(np.argmax(values))]}",
        x="trial",
        y="validation accuracy",
    )


def _survival(last: Sequence[int]) -> Chart:
    """Args: `last`: the last epoch of each trial."""
    epochs = list(range(1, max(last) + 1))
    counts = [sum(reached >= epoch for reached in last) for epoch in epochs]
    return Chart(
        marks=[Line(epochs, counts, "main")],
        from_zero=True,
        title=f"{len(last)} trials began; {counts[-1]} reached epoch {epochs[-1]}",
        x="epoch",
        y="trials",
    )


def _importances(study: Study, complete: Sequence[FrozenTrial]) -> dict[str, float]:
    """Optuna's own, largest first; nothing where there are too few trials to tell."""
    common = set.intersection(*(set(t.params) for t in complete)) if complete else set()
    varied = [name for name in common if len({str(t.params[name]) for t in complete}) > 1]
    if len(complete) < 4 or not varied:
        return {}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return get_param_importances(study, evaluator=evaluator, params=sorted(varied))
    except (RuntimeError, ValueError):  # all trials reached the same
        return {}
    finally:
        optuna.logging.set_verbosity(verbosity)


def _slice(complete: Sequence[FrozenTrial], name: str) -> Chart:
    values: list[Any] = [trial.params[name] for trial in complete]
    distribution: BaseDistribution = complete[0].distributions[name]
    accuracies = [trial.value or 0.0 for trial in complete]
    labels = [
        f"trial {t.number}: {name} {v}, {a:.4f}"
        for t, v, a in zip(complete, values, accuracies, strict=True)
    ]
    choices: list[Any] = []
    if isinstance(distribution, CategoricalDistribution):
        choices = list(distribution.choices)
        values = [choices.index(value) for value in values]
    return Chart(
        marks=[Dots(values, accuracies, labels)],
        title=f"Validation accuracy of {len(values)} full-budget trials by {name}",
        x=name,
        y="validation accuracy",
        choices=list(map(str, choices)),
        is_log=bool(getattr(distribution, "log", False)),
    )
