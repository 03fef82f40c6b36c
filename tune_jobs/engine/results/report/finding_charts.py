"""The charts of a retrained configuration: its training, its confusions, its layers."""

from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from trainables.datasets.errors import counted
from tune_jobs.engine.results.report.chart import LIGHT, WIDTH, Chart, in_style, shorten
from tune_jobs.engine.results.report.findings import Finding, Integers
from tune_jobs.engine.results.report.tsne import Projection

MOST_NUMBERED_CLASSES = 20
"""A larger confusion matrix has no room for its counts."""

LEAST_INK, MOST_INK = 0.15, 0.5
"""Opacity of a cell; counts are readable on all of them, light and dark."""

COLOURS = (
    *("#1f77b4", "#d95f02", "#2a962a", "#d62728", "#9467bd"),
    *("#8c564b", "#d64fae", "#7f7f7f", "#868700", "#0e8fa0"),
)
"""The first ten classes have these, and so have the ten after them, whose images are drawn as
squares. Each has a contrast of 3 with white and with the dark page (WCAG 2.1, non-text)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FindingCharts:
    """Holds the charts of a finding; `layers` has one per projection."""

    finding: Finding
    curves: Chart
    confusion: Chart
    layers: list[Chart]


def draw_finding(finding: Finding) -> FindingCharts:
    return FindingCharts(
        finding=finding,
        curves=draw_learning_curves(finding),
        confusion=draw_confusion(finding),
        layers=[draw_projection(finding, layer) for layer in finding.projections],
    )


@in_style()
def draw_learning_curves(finding: Finding) -> Chart:
    """Draw validation accuracy by epoch: each seed, their mean, the range between the extremes."""
    spread = finding.spread()
    epochs, means = [after.epoch for after in spread], [after.mean for after in spread]
    seeds = [
        [metrics.val_accuracy for metrics in curve if metrics.epoch in epochs]
        for curve in finding.curves
    ]
    figure = Figure()
    axes = figure.subplots()
    if len(epochs) == 1:  # of an estimator that is fitted once
        axes.scatter(epochs * len(seeds), [seed[0] for seed in seeds], 20, gid="seeds")
        axes.set_xticks(epochs)
    else:
        lows, highs = [after.low for after in spread], [after.high for after in spread]
        axes.fill_between(epochs, lows, highs, alpha=0.15, linewidth=0)
        axes.plot(epochs, np.transpose(seeds), alpha=0.45, linewidth=0.8)
        axes.plot(epochs, means, linewidth=1.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="validation accuracy")
    return Chart(
        caption="Learning curves: mean, each seed, and their spread",
        text=f"Learning curves of the {finding.title}: validation accuracy of "
        f"{len(seeds)} seeds, mean {means[0]:.3f} after epoch {epochs[0]}, "
        f"{means[-1]:.3f} after epoch {epochs[-1]}",
        figure=figure,
        tips={"seeds": [f"{seed[0]:.4f}" for seed in seeds]} if len(epochs) == 1 else {},
    )


@in_style()
def draw_confusion(finding: Finding) -> Chart:
    """Draw the counts: rows are true classes, and a cell's ink is its share of its row."""
    class_names, confusion_KK = finding.class_names, finding.confusion_KK()
    num_classes = len(class_names)
    names = [shorten(name) for name in class_names if num_classes <= MOST_NUMBERED_CLASSES]
    side = 0.4 * num_classes + 0.08 * max(map(len, names)) + 0.6 if names else WIDTH  # inches
    figure = Figure(figsize=(max(side, 3), max(side, 3)))
    axes = figure.subplots()
    axes.set(xlim=(-0.5, num_classes - 0.5), ylim=(num_classes - 0.5, -0.5), aspect="equal")
    axes.set(xlabel="predicted class", ylabel="true class", xticks=[], yticks=[])
    axes.xaxis.set_label_position("top")
    axes.spines[:].set_visible(False)
    axes.add_collection(_draw_cells(confusion_KK))
    cells = [(t, p, int(confusion_KK[t, p])) for t, p in np.argwhere(confusion_KK)]
    if names:
        axes.set_xticks(range(num_classes), names, rotation=90)
        axes.set_yticks(range(num_classes), names)
        axes.xaxis.tick_top()
        axes.grid(visible=False)
        for true, predicted, number in cells:
            axes.text(predicted, true, str(number), ha="center", va="center", fontsize=9)
    errors, answers = int(confusion_KK.sum() - confusion_KK.trace()), confusion_KK.sum()
    return Chart(
        caption=f"Confusion matrix over {counted(len(finding.predictions), 'seed')}; "
        "rows are true classes",
        text=f"Confusion matrix of the {finding.title}: {errors} errors in {answers} answers",
        figure=figure,
        tips={"cells": [f"{class_names[t]} taken for {class_names[p]}: {n}" for t, p, n in cells]},
    )


def _draw_cells(confusion_KK: Integers) -> PatchCollection:
    """Draw the cells that are not empty, row by row."""
    shares_KK = confusion_KK / np.maximum(confusion_KK.sum(axis=1, keepdims=True), 1)
    inks_KK = LEAST_INK + (MOST_INK - LEAST_INK) * shares_KK
    cells = np.argwhere(confusion_KK)
    squares = [Rectangle((p - 0.47, t - 0.47), 0.94, 0.94) for t, p in cells]
    colours = [(LIGHT["main" if t == p else "wrong"], inks_KK[t, p]) for t, p in cells]
    return PatchCollection(squares, facecolors=colours, linewidths=0, gid="cells")


@in_style()
def draw_projection(finding: Finding, found: Projection) -> Chart:
    """Draw the images of a class in one colour, filled where the model is right."""
    figure = Figure(figsize=(WIDTH, 3.6))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_box_aspect(1)
    tips, legend = {}, []
    for label in np.unique(found.labels_N).tolist():
        colour, name = COLOURS[label % len(COLOURS)], finding.class_names[label]
        marker = "s" if label >= len(COLOURS) else "o"
        is_class_N = found.labels_N == label
        is_right = found.correct_N[is_class_N].tolist()
        fills = [colour if right else "none" for right in is_right]
        x_M, y_M = found.points_N2[is_class_N].T
        axes.scatter(x_M, y_M, 16, fills, marker=marker, edgecolors=colour, gid=f"class-{label}")
        tips[f"class-{label}"] = [name if r else f"{name}, a wrong answer" for r in is_right]
        legend.append(axes.scatter([], [], 16, colour, marker=marker, label=shorten(name)))
    hollow = axes.scatter([], [], 16, "none", edgecolors=LIGHT["soft"], label="a wrong answer")
    figure.legend(handles=[*legend, hollow], loc="outside right upper", fontsize=9)
    return Chart(
        caption=str(found),
        text=f"t-SNE of {found}: the {finding.title}",
        figure=figure,
        tips=tips,
    )
