"""Models for other programs give what ours give, for every architecture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from trainables import load_model
from trainables.architectures import find_architecture
from trainables.config import Runtime, parse_trial
from trainables.config.features import Features, Frozen, Hog, Pixels
from trainables.datasets import ImageData
from trainables.features.extract import describe_all
from trainables.registry import default_of, names_in
from trainables.training.normalisation import Normalisation
from trainables.trials.attempt import Attempt
from trainables.trials.exported.ensemble import ImageEnsemble
from trainables.trials.exported.model import (
    FORMAT,
    ImageClassifier,
    ImageFront,
    ImageModel,
    ModelCard,
)
from trainables.trials.exported.portable import (
    METADATA,
    TOLERANCE,
    Form,
    check_form,
    describe,
    largest_difference,
    load_portable,
    write_portable,
)
from trainables.trials.inputs import TrialInputs
from trainables.worker.run_task import build_trial

CPU = Runtime(device="cpu")
CLASSES = ("night", "tag", "día")
every_form = pytest.mark.parametrize("form", ["onnx", "torch"])


def make_model(
    name: str, side: int = 16, channels: int = 3, network: nn.Module | None = None, **config: Any
) -> ImageClassifier:
    """An untrained model whose input differs from the image in everything that may differ: a
    crop, channels that are repeated, a normalisation of their own."""
    architecture = find_architecture(name)
    side = max(side, architecture.minimum_pixels)
    flat = {**default_of(name, 1), **config}
    parsed, own = parse_trial(flat, architecture.Config)
    torch.manual_seed(0)
    built = architecture.build(own, in_channels=3, image_size=(side, side), num_classes=3)
    card = ModelCard(
        format=FORMAT,
        config=flat,
        class_names=CLASSES,
        image_size=(round(side / parsed.crop_fraction),) * 2,
        num_channels=channels,
        normalisation=Normalisation(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)),
        in_channels=3,
        in_size=(side, side),
        features=None,
        dataset="made",
        dataset_fingerprint="0",
    )
    front = ImageFront(card.normalisation, parsed.crop_fraction)
    return ImageClassifier(front, network or built, card).eval()


def difference(model: ImageModel, form: Form, folder: Path) -> float:
    check_form(model, form)
    write_portable(model, folder / "file", form)
    card = model.card
    shape = (5, *card.image_size, card.num_channels)
    images_NHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    predict = load_portable(folder / "file", form)
    (folder / "file").unlink()  # some are large, and pytest keeps its folders
    return largest_difference(model, predict, images_NHWC)


@pytest.mark.parametrize(
    "name",
    [*names_in("architectures"), "timm:vit_tiny_patch16_224", "torchvision:shufflenet_v2_x0_5"],
)
def test_every_architecture_as_onnx(name: str, tmp_path: Path) -> None:
    side = 32 if ":" in name else 16
    assert difference(make_model(name, side), "onnx", tmp_path) <= TOLERANCE


@pytest.mark.parametrize("name", ["cnn", "deep_cnn"])
def test_a_program_of_torch(name: str, tmp_path: Path) -> None:
    assert difference(make_model(name), "torch", tmp_path) <= TOLERANCE


@every_form
def test_crop_and_grey_images_are_inside(form: Form, tmp_path: Path) -> None:
    model = make_model("cnn", 16, channels=1, crop_fraction=0.8)
    assert model.card.image_size == (20, 20)
    assert difference(model, form, tmp_path) <= TOLERANCE


def test_onnx_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    model = make_model("linear")
    write_portable(model, tmp_path / "model.onnx", "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    [taken], [given] = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.shape, taken.type) == ("images", ["N", 16, 16, 3], "tensor(uint8)")
    assert (given.name, given.shape, given.type) == ("probabilities", ["N", 3], "tensor(float)")
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata == describe(model.card)
    assert tuple(json.loads(metadata["class_names"])) == CLASSES
    assert json.loads(metadata["image_size"]) == [16, 16]
    assert "RGB" in metadata["decode"]


def test_torch_has_the_same_metadata(tmp_path: Path) -> None:
    model = make_model("linear")
    write_portable(model, tmp_path / "model.pt2", "torch")
    extra = {METADATA: ""}
    torch.export.load(tmp_path / "model.pt2", extra_files=extra)
    assert json.loads(extra[METADATA]) == describe(model.card)


@pytest.mark.parametrize("spec", [Pixels(), Frozen(architecture="cnn", config={})])
def test_what_a_network_trains_on_is_inside(
    make_data: Callable[..., ImageData],
    make_attempt: Callable[[], Attempt],
    tmp_path: Path,
    spec: Features,
) -> None:
    model = load_model(train_on(spec, "mlp", make_data(size=(16, 16)), make_attempt(), tmp_path))
    assert difference(model, "onnx", tmp_path) <= TOLERANCE


def test_an_ensemble_goes_out_whole(tmp_path: Path) -> None:
    """One of its members sees smaller images."""
    members = {"wide": make_model("mlp", 8, hidden=(8,)), "small": make_model("cnn")}
    model = ImageEnsemble(members, {"wide": 0.75, "small": 0.25}).eval()
    assert difference(model, "onnx", tmp_path) <= TOLERANCE
    assert json.loads(describe(model.card)["card"])["weights"] == {"wide": 0.75, "small": 0.25}


@pytest.mark.parametrize(
    ("spec", "architecture", "said"),
    [
        (Hog(components=6), "mlp", r"its features \(HOG\) are computed by scikit-image: must be"),
        (Pixels(), "logistic_regression", "its estimator is scikit-learn's: must be"),
    ],
)
def test_what_is_no_network_is_refused(
    make_data: Callable[..., ImageData],
    make_attempt: Callable[[], Attempt],
    tmp_path: Path,
    spec: Features,
    architecture: str,
    said: str,
) -> None:
    data = make_data(size=(16, 16))
    model = load_model(train_on(spec, architecture, data, make_attempt(), tmp_path))
    with pytest.raises(ValueError, match=said):
        check_form(model, "onnx")


def train_on(
    spec: Features, architecture: str, data: ImageData, attempt: Attempt, folder: Path
) -> Path:
    inputs = TrialInputs(data=data, features=describe_all(spec, data))
    trial = build_trial(default_of(architecture, 1), inputs, CPU, seed=0)
    list(trial.train(attempt))
    return trial.save(folder)


class Other(nn.Module):
    """Gives other probabilities than it gave before."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(3))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        return images_NCHW.flatten(1)[:, :3] + self.shift


def test_a_file_of_another_model_differs(tmp_path: Path) -> None:
    model = make_model("linear", network=Other())
    write_portable(model, tmp_path / "file", "onnx")
    assert isinstance(model.network, Other)
    model.network.shift.data[0] += 1
    images_NHWC = np.zeros((2, 16, 16, 3), dtype=np.uint8)
    predict = load_portable(tmp_path / "file", "onnx")
    assert largest_difference(model, predict, images_NHWC) > 0.1
