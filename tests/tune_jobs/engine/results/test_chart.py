"""A chart on the page and in TensorBoard: the same drawing, in the page's colours, whatever the
user's matplotlib is set to."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from tune_jobs.engine.results.report.chart import LIGHT, Chart, in_style, shorten, to_png, to_svg

from .examples import of_colour, texts_of, tips_of

PLACES = [1, 2, 3, 4, 5, 6, 7]


@in_style()
def draw(text: str = "seven trials", name: str = "epoch") -> Chart:
    figure = Figure()
    axes = figure.subplots()
    axes.scatter(PLACES, PLACES, 40, gid="trials")
    axes.plot(PLACES, PLACES[::-1], alpha=0.5)
    axes.set(xlabel=name)
    tips = [f"trial {place}: <{name}>" for place in PLACES]
    return Chart(caption="Trials", text=text, figure=figure, tips={"trials": tips})


def test_a_chart_is_the_same_to_the_byte_each_time() -> None:
    chart = draw()
    assert to_svg(chart) == to_svg(chart) == to_svg(draw())


def test_both_pictures_have_the_same_marks_in_the_same_places() -> None:
    chart = draw()
    svg, picture = to_svg(chart), to_png(chart.figure)
    [width, height] = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    margin = picture.height - round(height / width * picture.width)
    marked_HW = of_colour(picture, LIGHT["main"])
    marks = re.findall(r'<use [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*><title>', svg)
    assert len(marks) == 7
    scale = picture.width / width
    for x, y in marks:
        assert marked_HW[round(float(y) * scale) + margin, round(float(x) * scale)]


def test_the_page_tells_what_each_mark_is() -> None:
    assert tips_of(to_svg(draw())) == [f"trial {place}: &lt;epoch&gt;" for place in PLACES]


def test_a_mark_without_its_tip_is_an_error() -> None:
    chart = draw()
    fewer = Chart(caption="", text="", figure=chart.figure, tips={"trials": ["one"]})
    with pytest.raises(ValueError, match="zip"):
        to_svg(fewer)


def test_charts_of_a_page_do_not_share_an_id_nor_style_the_page() -> None:
    one, other = to_svg(draw("one")), to_svg(draw("other"))
    ids = [set(re.findall(r' id="(.*?)"', svg)) for svg in (one, other)]
    assert all(ids)
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r'href="#(.*?)"', svg)) == own
        assert "<style" not in svg
        assert "url(" not in svg


def test_colours_and_font_are_the_pages() -> None:
    svg = to_svg(draw())
    assert {"var(--main)", "var(--ink)", "var(--soft)", "var(--line)"} <= set(
        re.findall(r"var\(--\w+\)", svg)
    )
    assert "#" not in "".join(re.findall(r'style="(.*?)"', svg))
    fonts = set(re.findall(r"font-family: (.*?);", svg))
    assert fonts == {"system-ui, sans-serif"}


def test_tensorboards_picture_is_on_white_below_a_margin() -> None:
    pixels_HWC = np.asarray(to_png(draw().figure))
    assert pixels_HWC.shape[1] == 700  # twice what TensorBoard shows
    assert (pixels_HWC[: 700 // 16] == 255).all()
    assert (pixels_HWC[:, :2] == 255).all()


@pytest.mark.parametrize(
    "name", ["$5", "$x$ $", "<b>&\"'", "a\x00\x1bb\nc", "中文", "_hidden", "\ud800"]
)
def test_any_name_can_be_drawn(name: str) -> None:
    chart = draw(name=shorten(name))
    svg = to_svg(chart)
    to_png(chart.figure)
    root = ElementTree.fromstring(svg)
    shown = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert shorten(name) in shown


def test_long_names_are_cut() -> None:
    assert shorten("a" * 17) == "a" * 17
    assert shorten("a" * 18) == "a" * 16 + "…"
    assert len(shorten("a" * 40, 24)) == 24


def test_a_chart_has_no_text_but_its_own() -> None:
    words = [text for text in texts_of(to_svg(draw())) if not text.isdigit()]
    assert words == ["epoch"]


USERS = """
import sys
import matplotlib
from tests.tune_jobs.engine.results.test_chart import draw
from tune_jobs.engine.results.report.chart import to_png, to_svg
plain = to_svg(draw()), to_png(draw().figure).tobytes()
changes = {"font.size": 33, "axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": True}
matplotlib.rcParams.update(changes)
def settings():
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
before = settings()
assert (to_svg(draw()), to_png(draw().figure).tobytes()) == plain
assert "matplotlib.pyplot" not in sys.modules
assert settings() == before  # to ask for the backend would choose one
"""


def test_the_users_matplotlib_changes_nothing_and_is_not_changed() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", USERS], check=True)
