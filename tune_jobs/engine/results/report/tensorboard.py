"""The report's pictures in TensorBoard's tabs: of a configuration, and of the search."""

import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalars
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.util.tensor_util import make_tensor_proto

from trainables.datasets import ImageData
from tune_jobs.engine.results.report import images
from tune_jobs.engine.results.report.chart import WIDTH, Chart, in_style, to_png
from tune_jobs.engine.results.report.finding_charts import FindingCharts
from tune_jobs.engine.results.report.findings import Finding
from tune_jobs.engine.results.tensorboard.event_files import EventFile

SPREAD = ("over seeds/mean", "over seeds/low", "over seeds/high")
COLUMNS, SHARE = 4, 0.7  # of a sheet, and of the width of a column that a picture takes


def write_pictures(drawn: FindingCharts, data: ImageData, folder: Path) -> None:
    """Replace what an earlier session has written into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    events = EventFile(folder)
    finding = drawn.finding
    events.write(_image("confusion matrix", drawn.confusion.figure))
    events.write(_image("learning curves", drawn.curves.figure))
    for found, chart in zip(finding.projections, drawn.layers, strict=True):
        events.write(_image(f"t-SNE of the {found.layer} layer", chart.figure))
    samples = [(n, picture) for n, of in images.samples(data).items() for picture in of]
    sheets = {
        "surest mistakes": images.surest_mistakes(finding, data),
        "samples": samples,
        "augmentations": images.augmented(data, finding.row),
    }
    for name, captioned in sheets.items():
        if captioned:
            events.write(_image(name, draw_sheet(captioned)))
    events.write(text_pb("by class", _by_class(finding)))
    events.write(text_pb("most confused", _most_confused(finding)))
    for after in finding.spread():
        for tag, value in zip(SPREAD, (after.mean, after.low, after.high), strict=True):
            events.write(scalar_pb(tag, value), after.epoch)
    events.write(_spread_chart())
    events.close()


def write_search(charts: Sequence[Chart], folder: Path) -> None:
    """The charts of the search; replaces what an earlier session has written into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    events = EventFile(folder)
    for chart in charts:
        events.write(_image(f"search/{chart.caption}", chart.figure))
    events.close()


@in_style()
def draw_sheet(captioned: Sequence[images.Captioned]) -> Figure:
    """Pictures, of which there is one at least, in rows of four, each over its caption."""
    texts = [textwrap.wrap(caption, 16) for caption, _ in captioned]
    highest = max(picture.height / picture.width for _, picture in captioned)
    cell = SHARE * highest + 0.14 * max(map(len, texts)) + 0.1  # its height where its width is 1
    num_rows = -(-len(captioned) // COLUMNS)
    figure = Figure(figsize=(WIDTH, WIDTH / COLUMNS * cell * num_rows))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for place, ((_, picture), text) in enumerate(zip(captioned, texts, strict=True)):
        x, y = place % COLUMNS, cell * (place // COLUMNS)
        bottom, right = y + SHARE * picture.height / picture.width, x + SHARE
        axes.imshow(picture.convert("RGB"), extent=(x, right, bottom, y), interpolation="nearest")
        axes.text(x, bottom + 0.04, "\n".join(text), va="top", fontsize=9)
    axes.set(xlim=(-0.02, COLUMNS), ylim=(cell * num_rows, 0))
    return figure


def _by_class(finding: Finding) -> str:
    """A table in Markdown."""
    head = ["| class | precision | recall | F1 | answers |", "|:--|--:|--:|--:|--:|"]
    rows = [
        f"| {c.name} | {c.precision:.4f} | {c.recall:.4f} | {c.f1:.4f} | {c.num_examples} |"
        for c in finding.by_class()
    ]
    return "\n".join([*head, *rows])


def _most_confused(finding: Finding) -> str:
    pairs = [
        f"1. {true} taken for {predicted}: {n}" for true, predicted, n in finding.most_confused()
    ]
    return "\n".join(pairs) or "no errors"


def _image(tag: str, figure: Figure) -> Any:
    picture = to_png(figure)
    image = summary_pb2.Summary.Image(
        height=picture.height,
        width=picture.width,
        colorspace=3,
        encoded_image_string=images.encode_png(picture),
    )
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)])


def _spread_chart() -> Any:
    """Lay out the Custom Scalars tab: the mean over seeds, in a band from the lowest to the
    highest."""
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
