"""A projection drawn: the images of a class in a colour, with a legend; as SVG and as a picture."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tune_jobs.engine.results.report.plot import shorten
from tune_jobs.engine.results.report.svg import build_svg
from tune_jobs.engine.results.report.tsne import COLOURS, Projection

SIDE, LEGEND, MARGIN = 320, 150, 10
LINE = 16  # of the legend: 20 of them are as high as the picture
RADIUS = 3.5


def scatter_svg(found: Projection, names: Sequence[str]) -> str:
    """Dots are filled where the model is right; the eleventh class and those after it are
    squares."""
    parts = []
    for (x, y), label, correct in _dots(found):
        colour = COLOURS[label % len(COLOURS)]
        fill = colour if correct else "none"
        told = names[label] if correct else f"{names[label]}, a wrong answer"
        parts.append(f"{_mark(x, y, label, fill, colour)}<title>{escape(told)}</title></path>")
    for x, y, label in _legend(found):
        colour = COLOURS[label % len(COLOURS)]
        parts.append(f"{_mark(x, y, label, colour, colour)}</path>")
        parts.append(f'<text x="{x + 10}" y="{y + 4}">{escape(shorten(names[label]))}</text>')
    return build_svg(SIDE + LEGEND, SIDE, f"t-SNE of {found}", "".join(parts))


def draw_scatter(found: Projection, names: Sequence[str]) -> Image.Image:
    """The same picture, twice as fine, on white."""
    scale = 2
    picture = Image.new("RGB", (scale * (SIDE + LEGEND), scale * SIDE), "#ffffff")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(12 * scale)

    def mark(x: float, y: float, label: int, *, filled: bool) -> None:
        shape = draw.rectangle if label >= len(COLOURS) else draw.ellipse
        colour = COLOURS[label % len(COLOURS)]
        box = ((x - RADIUS) * scale, (y - RADIUS) * scale, (x + RADIUS) * scale)
        shape(
            (*box, (y + RADIUS) * scale), fill=colour if filled else None, outline=colour, width=2
        )

    for (x, y), label, correct in _dots(found):
        mark(x, y, label, filled=correct)
    for x, y, label in _legend(found):
        mark(x, y, label, filled=True)
        at = ((x + 10) * scale, y * scale)
        draw.text(at, shorten(names[label]), fill="#1b1f24", anchor="lm", font=font)
    return picture


def _dots(found: Projection) -> Iterator[tuple[list[float], int, bool]]:
    places_N2 = np.round(MARGIN + found.points_N2 * (SIDE - 2 * MARGIN), 1)
    yield from zip(
        places_N2.tolist(), found.labels_N.tolist(), found.correct_N.tolist(), strict=True
    )


def _legend(found: Projection) -> Iterator[tuple[float, float, int]]:
    for place, label in enumerate(np.unique(found.labels_N).tolist()):
        yield SIDE + MARGIN, LINE / 2 + LINE * place, label


def _mark(x: float, y: float, label: int, fill: str, colour: str) -> str:
    """A circle or a square, as a path that is left open for its title."""
    r, d = RADIUS, 2 * RADIUS
    circle = f"M{x - r:.1f} {y}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0"
    square = f"M{x - r:.1f} {y - r:.1f}h{d}v{d}h-{d}z"
    shape = square if label >= len(COLOURS) else circle
    return f'<path d="{shape}" fill="{fill}" stroke="{colour}">'
