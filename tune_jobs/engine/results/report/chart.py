"""A chart: drawn once by matplotlib, saved as SVG for the page and as PNG for TensorBoard."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib import style
from matplotlib.figure import Figure
from PIL import Image, ImageOps

LIGHT = {
    "ink": "#1b1f24",
    "paper": "#ffffff",
    "soft": "#57606a",
    "line": "#d0d7de",
    "panel": "#f3f5f8",
    "main": "#0b5cad",
    "wrong": "#b3261e",
}
DARK = {
    "ink": "#e8eaed",
    "paper": "#14171a",
    "soft": "#a8b0b9",
    "line": "#3a4149",
    "panel": "#1e2328",
    "main": "#7ab7ff",
    "wrong": "#ff9d94",
}
"""The page's colours by name. Text has a contrast of at least 4.5 (WCAG 2.1, AA)."""

FONT = "DejaVu Sans"
"""matplotlib brings it: TensorBoard's pictures are written in it, and the page's texts are measured
by it, which the browser then writes in its own, narrower one."""

WIDTH = 5.0
"""Of a chart, in inches: two fit side by side."""

STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 3),
    "figure.constrained_layout.use": True,
    "font.family": ["sans-serif"],
    "font.sans-serif": [FONT],
    "font.size": 10,
    "text.color": LIGHT["ink"],
    "text.parse_math": False,  # a class may be called $5
    "axes.labelcolor": LIGHT["ink"],
    "axes.edgecolor": LIGHT["soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": f"cycler(color=['{LIGHT['main']}'])",
    "axes.formatter.useoffset": False,
    "grid.color": LIGHT["line"],
    "grid.linewidth": 0.6,
    "xtick.labelcolor": LIGHT["ink"],
    "ytick.labelcolor": LIGHT["ink"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.handletextpad": 0.2,
    "legend.labelspacing": 0.3,
    "svg.fonttype": "none",  # text stays text, and no font is embedded
}

DOTS_PER_INCH = 140
"""Of a picture: TensorBoard shows 350 pixels of its width, and all of them when it is opened."""

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Chart:
    """A figure, and what is said of it in words.

    Attributes:
        caption: What stands below it on the page.
        text: Its text alternative.
        tips: What the pointer is told of each mark of a collection, by the collection's `gid`.
    """

    caption: str
    text: str
    figure: Figure
    tips: Mapping[str, Sequence[str]] = field(default_factory=dict)


@contextmanager
def in_style(**changes: Any) -> Iterator[None]:
    """Draw by matplotlib's defaults with the report's style over them, whatever the user's own are,
    which are there again afterwards.

    Nothing here uses pyplot: the process may be a user's notebook, where it would choose a backend,
    show the figures and keep them.
    """
    with style.context(["default", {**STYLE, **changes}]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the browser has fonts
        yield


def to_svg(chart: Chart) -> Markup:
    """An `svg` element for a page of several, the same one each time. Its colours are the page's
    variables, so that they follow light and dark."""
    file = io.BytesIO()
    with in_style(**{"svg.hashsalt": chart.text}):  # ids differ from another chart's
        none = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        chart.figure.savefig(file, format="svg", transparent=True, metadata=none)
    root = ElementTree.fromstring(file.getvalue())  # noqa: S314 (written just now)
    for gid, tips in chart.tips.items():
        [group] = root.iterfind(f".//*[@id='{gid}']")
        marks = group.findall(f".//{{{SVG}}}use") or group.findall(f"{{{SVG}}}path")
        for mark, tip in zip(marks, tips, strict=True):
            ElementTree.SubElement(mark, "title").text = tip
    _fit_into_page(root)
    root.attrib |= {"role": "img", "aria-label": chart.text}
    title = ElementTree.Element("title")
    title.text = chart.text
    root.insert(0, title)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 (it has escaped all)


def to_png(figure: Figure) -> Image.Image:
    """The figure on white, under a margin: TensorBoard's caption, where it takes a second line,
    covers the top."""
    file = io.BytesIO()
    with in_style():
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH, facecolor=LIGHT["paper"])
    picture = Image.open(file).convert("RGB")
    return ImageOps.expand(picture, (0, picture.width // 16, 0, 0), LIGHT["paper"])


def shorten(name: str, longest: int = 17) -> str:
    """A name as a chart has room for it, without characters that XML does not know."""
    name = "".join(c if c.isprintable() else " " for c in name)
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _fit_into_page(root: ElementTree.Element) -> None:
    """Take out what a page of several charts cannot have or does not need: style sheets and ids
    that are the whole page's, clipping (charts hold all of their marks), white space, and digits
    after a hundredth of a point."""
    used = {element.get(f"{{{XLINK}}}href") for element in root.iter()}
    for element in list(root.iter()):
        element.attrib.pop("clip-path", None)
        if f"#{element.get('id')}" not in used:
            element.attrib.pop("id", None)
        for child in list(element):
            if child.tag in (f"{{{SVG}}}style", f"{{{SVG}}}clipPath"):
                element.remove(child)
        for name, value in element.items():
            value = re.sub(r"(\.\d\d)\d+", r"\1", " ".join(value.split()))
            element.set(name, _with_variables(value) if name == "style" else value)
        element.tail = None


def _with_variables(css: str) -> str:
    css = css.replace(f"'{FONT}'", "system-ui")
    for name, colour in LIGHT.items():
        css = css.replace(colour, f"var(--{name})")
    return css
