"""The report's pictures in TensorBoard's tabs: of a configuration, and of the search."""

import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalars
from tensorboard.plugins.text import metadata
from tensorboard.util.tensor_util import make_tensor_proto

from trainables.datasets import ImageData
from tune_jobs.engine.results.report import images, raster
from tune_jobs.engine.results.report.charts import learning_curves
from tune_jobs.engine.results.report.findings import Finding
from tune_jobs.engine.results.report.marks import Bars, Chart
from tune_jobs.engine.results.report.scatter import draw_scatter
from tune_jobs.engine.results.report.svg import LEAST_INK, MOST_INK
from tune_jobs.engine.results.tensorboard import EventFile

INK, PAPER, RIGHT, WRONG = (27, 31, 36), (255, 255, 255), (11, 92, 173), (179, 38, 30)
SPREAD = ("over seeds/mean", "over seeds/low", "over seeds/high")
COLUMNS, CELL = 4, 128
FONT = ImageFont.load_default(14)  # TensorBoard shows a picture about 350 pixels wide


def write_pictures(finding: Finding, data: ImageData, folder: Path) -> None:
    """Replace what an earlier session has written into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    events = EventFile(folder)
    confusion_KK = finding.confusion_KK()
    wrong = [
        (images.describe(mistake, data), picture)
        for mistake, picture in images.surest_mistakes(finding, data)
    ]
    samples = [
        (name, images.to_picture(data.images_NHWC[index]))
        for name, indices in images.sample_indices(data).items()
        for index in indices
    ]
    pictures = {
        "confusion matrix": draw_confusion(confusion_KK, data.class_names),
        "learning curves": raster.draw(learning_curves(finding)),
        "surest mistakes": draw_sheet(wrong),
        "samples": draw_sheet(samples),
        "augmentations": draw_sheet(images.augmented(data, finding.row)),
    }
    for found in finding.projections:
        pictures[f"t-SNE of the {found.layer} layer"] = draw_scatter(found, data.class_names)
    for tag, picture in pictures.items():
        events.write(_image(tag, picture))
    rows = [
        f"| {c.name} | {c.precision:.4f} | {c.recall:.4f} | {c.f1:.4f} | {c.num_examples} |"
        for c in finding.by_class()
    ]
    head = ["| class | precision | recall | F1 | answers |", "|:--|--:|--:|--:|--:|"]
    events.write(_text("by class", "\n".join([*head, *rows])))
    pairs = [
        f"1. {true} taken for {predicted}: {count}"
        for true, predicted, count in finding.most_confused()
    ]
    events.write(_text("most confused", "\n".join(pairs) or "no errors"))
    for after in finding.spread():
        figures = zip(SPREAD, (after.mean, after.low, after.high), strict=True)
        events.write(_scalars(dict(figures)), after.epoch)
    events.write(_spread_chart())
    events.close()


def write_search(charts: Sequence[tuple[str, Chart | Bars]], folder: Path) -> None:
    """The charts of the search; replaces what an earlier session has written into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    events = EventFile(folder)
    for caption, chart in charts:
        events.write(_image(f"search/{caption}", raster.draw(chart)))
    events.close()


def draw_confusion(confusion_KK: Any, names: Sequence[str]) -> Image.Image:
    """Rows are true classes; a cell's ink is its share of its row."""
    count = len(names)
    side = 40 if count <= 20 else max(4, 800 // count)
    room = 20 + 9 * max(len(name[:20]) for name in names) if count <= 20 else 0
    picture = Image.new("RGB", (room + side * count, room + side * count), PAPER)
    draw = ImageDraw.Draw(picture)
    shares_KK = confusion_KK / np.maximum(confusion_KK.sum(axis=1, keepdims=True), 1)
    for true, predicted in np.argwhere(confusion_KK > 0).tolist():
        x, y = room + predicted * side, room + true * side
        share = LEAST_INK + (MOST_INK - LEAST_INK) * float(shares_KK[true, predicted])
        full = RIGHT if true == predicted else WRONG
        colour = tuple(round(p + share * (f - p)) for p, f in zip(PAPER, full, strict=True))
        draw.rectangle((x, y, x + side - 2, y + side - 2), fill=colour)
        if room:
            text = str(confusion_KK[true, predicted])
            draw.text((x + side / 2, y + side / 2), text, fill=INK, anchor="mm", font=FONT)
    for place, name in enumerate(names if room else ()):
        middle = room + place * side + side / 2
        draw.text((room - 6, middle), name[:20], fill=INK, anchor="rm", font=FONT)
        upright = Image.new("RGB", (room - 6, 18), PAPER)
        ImageDraw.Draw(upright).text((2, 9), name[:20], fill=INK, anchor="lm", font=FONT)
        picture.paste(upright.rotate(90, expand=True), (round(middle) - 9, 0))
    return picture


def draw_sheet(captioned: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures in rows of four, each over its caption."""
    if not captioned:
        return Image.new("RGB", (200, 40), PAPER)
    texts = [textwrap.wrap(caption, 17) for caption, _ in captioned]
    high = max(picture.height for _, picture in captioned) + 17 * max(map(len, texts)) + 12
    lines = -(-len(captioned) // COLUMNS)
    sheet = Image.new("RGB", (CELL * COLUMNS, high * lines), PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, ((_, picture), text) in enumerate(zip(captioned, texts, strict=True)):
        x, y = CELL * (place % COLUMNS), high * (place // COLUMNS)
        sheet.paste(picture.convert("RGB"), (x + 4, y + 2))
        draw.text((x + 4, y + picture.height + 4), "\n".join(text), fill=INK, font=FONT)
    return sheet


def _image(tag: str, picture: Image.Image) -> Any:
    """Under a margin: TensorBoard's caption, where it takes a second line, covers the top."""
    picture = ImageOps.expand(picture, (0, picture.width // 16, 0, 0), PAPER)
    image = summary_pb2.Summary.Image(
        height=picture.height,
        width=picture.width,
        colorspace=3,
        encoded_image_string=images.encode_png(picture),
    )
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)])


def _scalars(values: dict[str, float]) -> Any:
    return summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag=t, simple_value=v) for t, v in values.items()]
    )


def _spread_chart() -> Any:
    """Of the Custom Scalars tab: the mean over seeds, in a band from the lowest to the highest."""
    mean, low, high = SPREAD
    series = layout_pb2.MarginChartContent.Series(value=mean, lower=low, upper=high)
    chart = layout_pb2.Chart(
        title="validation accuracy over seeds",
        margin=layout_pb2.MarginChartContent(series=[series]),
    )
    layout = layout_pb2.Layout(
        category=[layout_pb2.Category(title="learning curves", chart=[chart])]
    )
    value = summary_pb2.Summary.Value(
        tag=custom_scalars.CONFIG_SUMMARY_TAG,
        metadata=custom_scalars.create_summary_metadata(),
        tensor=make_tensor_proto([layout.SerializeToString()]),
    )
    return summary_pb2.Summary(value=[value])


def _text(tag: str, markdown: str) -> Any:
    value = summary_pb2.Summary.Value(
        tag=tag,
        metadata=metadata.create_summary_metadata(display_name=tag, description=""),
        tensor=make_tensor_proto([markdown.encode()]),
    )
    return summary_pb2.Summary(value=[value])
