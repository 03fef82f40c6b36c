"""What TensorBoard is given of a configuration that never was."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tune_jobs.engine.results.report.chart import to_png
from tune_jobs.engine.results.report.finding_charts import draw_finding
from tune_jobs.engine.results.report.tensorboard import draw_sheet, write_pictures
from tune_jobs.engine.results.row import Row

from .examples import make_data, make_finding

MakeRow = Callable[..., Row]

PETS = ["cat", "dog", "owl"]
TAGS = ["confusion matrix", "learning curves", "surest mistakes", "samples", "augmentations"]


def write(make_row: MakeRow, folder: Path, predicted: list[int]) -> Any:
    finding = make_finding(make_row(), PETS, [([0, 1, 2, 2], predicted)])
    write_pictures(draw_finding(finding), make_data(PETS), folder)
    return EventAccumulator(str(folder)).Reload()


def test_a_configuration_is_told_in_every_tab(make_row: MakeRow, tmp_path: Path) -> None:
    events = write(make_row, tmp_path / "winner", [0, 1, 2, 1])
    assert events.Tags()["images"] == TAGS
    for tag in TAGS:
        [image] = events.Images(tag)
        picture = Image.open(io.BytesIO(image.encoded_image_string))
        assert picture.size == (image.width, image.height)
        assert 400 < picture.width <= 700
    texts = {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in TEXTS}
    assert "| owl | 1.0000 | 0.5000 | 0.6667 | 2 |" in texts["by class"]
    assert texts["most confused"] == "1. owl taken for dog: 1"
    assert [event.step for event in events.Tensors("over seeds/mean")] == [1, 2, 3]


TEXTS = ("by class", "most confused")


def test_a_perfect_configuration_has_no_picture_of_mistakes(
    make_row: MakeRow, tmp_path: Path
) -> None:
    events = write(make_row, tmp_path / "winner", [0, 1, 2, 2])
    assert events.Tags()["images"] == [tag for tag in TAGS if tag != "surest mistakes"]
    assert events.Tensors("most confused")[0].tensor_proto.string_val == [b"no errors"]


def test_a_later_session_replaces_what_an_earlier_one_wrote(
    make_row: MakeRow, tmp_path: Path
) -> None:
    write(make_row, tmp_path / "winner", [0, 1, 2, 1])
    events = write(make_row, tmp_path / "winner", [0, 1, 2, 2])
    assert len(list((tmp_path / "winner").iterdir())) == 1
    assert len(events.Images("confusion matrix")) == 1


def test_a_sheet_shows_every_picture_over_its_caption() -> None:
    red, tall = Image.new("RGB", (64, 64), "#ff0000"), Image.new("L", (32, 96), 128)
    pixels_HWC = np.asarray(to_png(draw_sheet([("red", red)] * 5 + [("tall", tall)])))
    is_red_HW = (pixels_HWC == (255, 0, 0)).all(axis=2)
    in_columns = np.flatnonzero(np.diff(is_red_HW.any(axis=0).astype(int)) == 1)
    in_rows = np.flatnonzero(np.diff(is_red_HW.any(axis=1).astype(int)) == 1)
    assert len(in_columns) == 4
    assert len(in_rows) == 2
    is_gray_HW = (pixels_HWC == 128).all(axis=2)
    high, wide = is_gray_HW.any(axis=1).sum(), is_gray_HW.any(axis=0).sum()
    assert 2.9 < high / wide < 3.1
    assert is_gray_HW[: pixels_HWC.shape[0] - 20].sum() == is_gray_HW.sum()  # the caption fits
