"""The page's charts as pictures for TensorBoard, which shows no SVG: on white."""

from PIL import Image, ImageDraw, ImageFont

from tune_jobs.engine.results.report.marks import (
    BAR_LEFT,
    BAR_LINE,
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Band,
    Bars,
    Chart,
    Dots,
    Line,
    Scale,
)

INK, SOFT, GRID, MAIN, FAINT, PAPER = (
    "#1b1f24",
    "#57606a",
    "#d0d7de",
    "#0b5cad",
    "#9cbfe0",
    "#ffffff",
)


class Canvas:
    def __init__(self, width: float, height: float) -> None:
        self.picture = Image.new("RGB", (round(width), round(height)), PAPER)
        self._draw = ImageDraw.Draw(self.picture)
        self._font = ImageFont.load_default(13)

    def line(self, points: list[tuple[float, float]], colour: str, width: int = 1) -> None:
        self._draw.line(points, fill=colour, width=width, joint="curve")

    def area(self, points: list[tuple[float, float]], colour: str) -> None:
        self._draw.polygon(points, fill=colour)

    def box(self, x: float, y: float, width: float, height: float) -> None:
        self._draw.rectangle((x, y, x + width, y + height), fill=MAIN)

    def dot(self, x: float, y: float) -> None:
        self._draw.circle((x, y), 3.5, fill=MAIN)

    def text(self, x: float, y: float, text: str, anchor: str) -> None:
        self._draw.text((x, y), text, fill=INK, anchor=anchor, font=self._font)

    def upright(self, x: float, y: float, text: str) -> None:
        """Text that reads upwards, with its middle there."""
        width = round(self._font.getlength(text)) + 1
        strip = Image.new("RGB", (width, 16), PAPER)
        ImageDraw.Draw(strip).text((0, 8), text, fill=INK, anchor="lm", font=self._font)
        turned = strip.rotate(90, expand=True)
        self.picture.paste(turned, (round(x), round(y) - width // 2))


def draw(chart: Chart | Bars) -> Image.Image:
    return _bars(chart) if isinstance(chart, Bars) else _chart(chart)


def _bars(bars: Bars) -> Image.Image:
    canvas = Canvas(WIDTH, BAR_LINE * len(bars.labels) + 4)
    shown = zip(bars.labels, bars.values, bars.widths(), strict=True)
    for place, (label, value, width) in enumerate(shown):
        y = place * BAR_LINE
        canvas.text(BAR_LEFT - 8, y + 12, label, "rm")
        canvas.box(BAR_LEFT, y + 4, width, 16)
        canvas.text(BAR_LEFT + width + 6, y + 12, f"{value:.2f}", "lm")
    return canvas.picture


def _chart(chart: Chart) -> Image.Image:
    canvas, across, up = Canvas(WIDTH, HEIGHT), chart.across(), chart.up()
    bottom = HEIGHT - BOTTOM
    for tick, label in chart.ticks().items():
        canvas.text(across(tick), bottom + 11, label, "mm")
    for tick in up.ticks():
        canvas.line([(LEFT, up(tick)), (WIDTH - RIGHT, up(tick))], GRID)
        canvas.text(LEFT - 5, up(tick), f"{tick:.4g}", "rm")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, chart.x, "mm")
    canvas.upright(0, (TOP + bottom) / 2, chart.y)
    for mark in chart.marks:
        _mark(canvas, mark, across, up)
    canvas.line([(LEFT, TOP), (LEFT, bottom), (WIDTH - RIGHT, bottom)], SOFT)
    return canvas.picture


def _mark(canvas: Canvas, mark: Line | Band | Dots, across: Scale, up: Scale) -> None:
    xs = [across(x) for x in mark.xs]
    if isinstance(mark, Band):
        there = list(zip(xs, map(up, mark.highs), strict=True))
        back = list(zip(xs, map(up, mark.lows), strict=True))
        canvas.area(there + back[::-1], FAINT)
        return
    points = list(zip(xs, map(up, mark.ys), strict=True))
    if isinstance(mark, Dots):
        for x, y in points:
            canvas.dot(x, y)
    else:
        is_main = mark.style == "main"
        canvas.line(points, MAIN if is_main else FAINT, 2 if is_main else 1)
