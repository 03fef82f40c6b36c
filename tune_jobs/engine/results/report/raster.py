"""Charts as pictures for TensorBoard, which shows no SVG: on white."""

from PIL import Image, ImageDraw, ImageFont

from tune_jobs.engine.results.report.marks import Bars, Chart
from tune_jobs.engine.results.report.plot import Anchor, Points, plot, size_of

INK, MAIN, FAINT, PAPER = "#1b1f24", "#0b5cad", "#9cbfe0", "#ffffff"
LINES = {
    "axis": ("#57606a", 1),
    "grid": ("#d0d7de", 1),
    "main": (MAIN, 2),
    "faint": (FAINT, 1),
    "step": (FAINT, 1),
}
BAND = "#d9e6f3"
ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}
TEXT_HEIGHT = 16


def draw(chart: Chart | Bars) -> Image.Image:
    canvas = PixelCanvas(*size_of(chart))
    plot(chart, canvas)
    return canvas.picture


class PixelCanvas:
    def __init__(self, width: int, height: int) -> None:
        self.picture = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.picture)
        self._font = ImageFont.load_default(13)

    def line(self, points: Points, style: str) -> None:
        colour, width = LINES[style]
        self._draw.line(list(points), fill=colour, width=width, joint="curve")

    def area(self, points: Points) -> None:
        self._draw.polygon(list(points), fill=BAND)

    def bar(self, x: float, y: float, width: float, height: float) -> None:
        self._draw.rectangle((x, y, x + width, y + height), fill=MAIN)

    def dot(self, x: float, y: float, label: str) -> None:
        self._draw.circle((x, y), 3.5, fill=MAIN)

    def text(self, x: float, y: float, text: str, anchor: Anchor) -> None:
        self._draw.text((x, y), text, fill=INK, anchor=ANCHORS[anchor], font=self._font)

    def upright(self, x: float, y: float, text: str) -> None:
        size = round(self._font.getlength(text)) + 1, TEXT_HEIGHT
        strip = Image.new("RGB", size, PAPER)
        ImageDraw.Draw(strip).text((0, size[1] / 2), text, fill=INK, anchor="lm", font=self._font)
        corner = max(0, round(x - size[1] / 2)), round(y - size[0] / 2)
        self.picture.paste(strip.rotate(90, expand=True), corner)
