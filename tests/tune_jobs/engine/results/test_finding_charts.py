"""The charts of a retrained configuration, as the page and TensorBoard show them."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from tune_jobs.engine.results.report.chart import DARK, LIGHT, to_png, to_svg
from tune_jobs.engine.results.report.finding_charts import (
    COLOURS,
    LEAST_INK,
    MOST_INK,
    draw_confusion,
    draw_finding,
    draw_learning_curves,
    draw_projection,
)
from tune_jobs.engine.results.report.tsne import Projection
from tune_jobs.engine.results.row import Row

from .examples import channels, contrast, make_finding, of_colour, texts_of, tips_of

MakeRow = Callable[..., Row]

PETS = ["cat", "dog", "<bird>"]
TRUE, PREDICTED = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0]


def test_curves_of_seeds_lie_in_their_spread_below_their_mean(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), PETS, [(TRUE, PREDICTED)] * 3)
    chart = draw_learning_curves(finding)
    assert chart.text == (
        "Learning curves of the winner: validation accuracy of 3 seeds, "
        "mean 0.400 after epoch 1, 0.733 after epoch 3"
    )
    assert chart.caption == "Learning curves: mean, each seed, and their spread"
    svg = to_svg(chart)
    in_main = re.findall(r'style="(fill: (?:none|var\(--main\))[^"]*)"', svg)
    lines = [style for style in in_main if "var(--main)" in style]
    assert "fill-opacity: 0.15" in lines[0]  # the spread
    assert ["stroke-opacity: 0.45" in line for line in lines[1:]] == [True, True, True, False]
    assert {"1", "2", "3", "epoch", "validation accuracy"} <= set(texts_of(svg))
    pixels_HWC = np.asarray(to_png(chart.figure)).astype(int)
    spread = [0.15 * main + 0.85 * 255 for main in channels(LIGHT["main"])]
    num_spread = (np.abs(pixels_HWC - spread) < 2).all(axis=2).sum()
    assert num_spread > (pixels_HWC == channels(LIGHT["main"])).all(axis=2).sum() > 300


def test_what_is_fitted_once_has_a_dot_per_seed(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), PETS, [(TRUE, PREDICTED)] * 3, num_epochs=1)
    svg = to_svg(draw_learning_curves(finding))
    assert tips_of(svg) == ["0.5000", "0.4000", "0.3000"]
    assert [text for text in texts_of(svg) if "." not in text] == [
        "1",
        "epoch",
        "validation accuracy",
    ]


def test_a_confusion_matrix_tells_and_numbers_every_cell(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), PETS, [(TRUE, PREDICTED), (TRUE, TRUE)])
    chart = draw_confusion(finding)
    svg = to_svg(chart)
    assert chart.text == "Confusion matrix of the winner: 3 errors in 12 answers"
    assert chart.caption == "Confusion matrix over 2 seeds; rows are true classes"
    told = ["cat taken for cat: 5", "cat taken for dog: 1", "dog taken for cat: 1"]
    told += ["dog taken for dog: 3", "&lt;bird&gt; taken for cat: 1"]
    told += ["&lt;bird&gt; taken for &lt;bird&gt;: 1"]
    assert tips_of(svg) == told
    assert [text for text in texts_of(svg) if text.isdigit()] == ["5", "1", "1", "3", "1", "1"]
    for name in ("cat", "dog", "&lt;bird&gt;"):
        assert texts_of(svg).count(name) == 2
    right, wrong = (f'style="fill: var\\(--{name}\\); fill-opacity' for name in ("main", "wrong"))
    assert len(re.findall(right, svg)) == 3
    assert len(re.findall(wrong, svg)) == 3


def test_a_large_confusion_matrix_is_told_but_has_no_room_for_numbers(make_row: MakeRow) -> None:
    names = [f"class {label}" for label in range(100)]
    labels = list(range(100))
    finding = make_finding(make_row(), names, [(labels, labels[::-1])])
    svg = to_svg(draw_confusion(finding))
    assert texts_of(svg) == ["predicted class", "true class"]
    assert tips_of(svg)[0] == "class 0 taken for class 99: 1"
    assert len(tips_of(svg)) == 100


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("fill", ["main", "wrong"])
@pytest.mark.parametrize("ink", [LEAST_INK, MOST_INK])
def test_counts_stand_out_from_every_cell(palette: dict[str, str], fill: str, ink: float) -> None:
    parts = zip(channels(palette[fill]), channels(palette["paper"]), strict=True)
    cell = "#" + "".join(f"{round(ink * f + (1 - ink) * p):02x}" for f, p in parts)
    assert contrast(palette["ink"], cell) >= 4.5


def test_a_projection_names_every_class_and_draws_every_image(make_row: MakeRow) -> None:
    labels_N = np.arange(60) % 12
    names = [f"<class {label}>" for label in range(12)]
    found = Projection(
        layer="last",
        points_N2=np.random.default_rng(0).random((60, 2)),
        labels_N=labels_N,
        correct_N=np.arange(60) >= 9,
        neighbours=0.5,
    )
    finding = make_finding(make_row(), names, [(labels_N, labels_N)], projections=[found])
    [chart] = draw_finding(finding).layers
    svg = to_svg(chart)
    assert len(tips_of(svg)) == 60
    assert sum("a wrong answer" in tip for tip in tips_of(svg)) == 9
    assert svg.count('style="fill: none; stroke: #') == 9
    assert texts_of(svg) == [f"&lt;class {label}&gt;" for label in range(12)] + ["a wrong answer"]
    assert 'aria-label="t-SNE of 60 test images by the last layer' in svg
    picture = to_png(chart.figure)
    assert all(of_colour(picture, colour).sum() > 50 for colour in COLOURS)


def test_names_that_hide_in_a_legend_elsewhere_are_shown(make_row: MakeRow) -> None:
    labels_N = np.arange(8) % 2
    found = Projection(
        layer="last",
        points_N2=np.random.default_rng(0).random((8, 2)),
        labels_N=labels_N,
        correct_N=np.ones(8, dtype=np.bool_),
        neighbours=0.5,
    )
    finding = make_finding(make_row(), ["_nolegend_", "$x$"], [(labels_N, labels_N)])
    svg = to_svg(draw_projection(finding, found))
    assert texts_of(svg) == ["_nolegend_", "$x$", "a wrong answer"]


def test_colours_stand_out_from_light_and_dark() -> None:
    assert len(set(COLOURS)) == 10
    for palette in (LIGHT, DARK):
        assert all(contrast(colour, palette["paper"]) >= 3 for colour in COLOURS)
