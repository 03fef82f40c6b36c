"""Charts, as the page and TensorBoard draw them."""

import itertools
import re

import numpy as np
import numpy.typing as npt
import pytest

from searchspaces.training import SCHEDULES
from tune_jobs.engine.results.report import raster, svg
from tune_jobs.engine.results.report.marks import Band, Bars, Chart, Dots, Line

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

PLACES = [0, 1, 2, 3, 4, 5, 6]
BY_SCHEDULE = Chart(
    marks=[Dots(PLACES, [0.1 * place for place in PLACES], [f"<{name}>" for name in SCHEDULES])],
    title="by schedule",
    x="schedule",
    y="accuracy",
    choices=SCHEDULES,
)
CURVE = Chart(
    marks=[Band([1, 2, 3], [0.1, 0.2, 0.3], [0.3, 0.4, 0.5]), Line([1, 2, 3], [0.2, 0.3, 0.4])],
    title="a curve",
    x="epoch",
    y="accuracy",
)
BARS = Bars(labels=["lr", "l2"], values=[0.75, 0.25], title="importance")


def test_names_on_an_axis_do_not_run_into_each_other() -> None:
    shown = re.findall(
        r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">(.*?)<', svg.draw(BY_SCHEDULE)
    )
    names = [(float(x), name) for x, name in shown if name != "schedule"]
    assert [name[0] for _, name in names] == [name[0] for name in SCHEDULES]
    for (left, one), (right, other) in itertools.pairwise(names):
        assert (len(one) + len(other)) / 2 * 7 <= right - left


def test_the_page_tells_what_each_dot_is() -> None:
    drawn = svg.draw(BY_SCHEDULE)
    assert drawn.count("<circle") == 7
    assert "<title>&lt;one_cycle&gt;</title>" in drawn


def of_colour(pixels_HWC: Pixels, colour: str) -> Mask:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)
    found_HW: Mask = (pixels_HWC == rgb).all(axis=2)
    return found_HW


@pytest.mark.parametrize(("chart", "count"), [(BY_SCHEDULE, 7), (BARS, 2)])
def test_both_drawings_have_the_same_marks_in_the_same_places(
    chart: Chart | Bars, count: int
) -> None:
    drawn, pixels_HWC = svg.draw(chart), np.asarray(raster.draw(chart))
    assert f'width="{pixels_HWC.shape[1]}" height="{pixels_HWC.shape[0]}"' in drawn
    places = re.findall(r'(?:class="bar" x|cx)="([\d.]+)" c?y="([\d.]+)"', drawn)
    assert len(places) == count
    marked_HW = of_colour(pixels_HWC, raster.MAIN)
    assert all(marked_HW[round(float(y)), round(float(x))] for x, y in places)


def test_a_band_lies_under_its_line() -> None:
    pixels_HWC = np.asarray(raster.draw(CURVE))
    band_HW, line_HW = (of_colour(pixels_HWC, colour) for colour in (raster.BAND, raster.MAIN))
    assert band_HW.sum() > line_HW.sum() > 300
    assert svg.draw(CURVE).index('class="band"') < svg.draw(CURVE).index('class="line main"')
