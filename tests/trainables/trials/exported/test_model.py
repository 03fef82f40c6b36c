"""Exported models give what the model in memory gave."""

import io
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from trainables import architectures, load_model
from trainables.architectures import find_architecture
from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.registry import default_of
from trainables.trials.attempt import Attempt
from trainables.trials.exported.model import ModelCard, card_path
from trainables.trials.inputs import TrialInputs
from trainables.trials.network_trial import NetworkTrial

MakeData = Callable[..., ImageData]

NAMES = [
    module.name
    for module in pkgutil.iter_modules(architectures.__path__)
    if not module.name.startswith("_")
]


def trained(
    data: ImageData, name: str, session: Attempt, *, channels_last: bool = False
) -> NetworkTrial:
    flat = {**default_of(name, 1), "batch_size": 16}
    runtime = Runtime(device="cpu", channels_last=channels_last)
    trial = NetworkTrial(flat, TrialInputs(data=data), runtime, seed=0)
    list(trial.train(session))
    return trial


def png(pixels_HWC: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels_HWC.squeeze()).save(file, format="PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_gives_the_probabilities_of_the_model_in_memory(
    make_data: MakeData,
    make_attempt: Callable[..., Attempt],
    tmp_path: Path,
    name: str,
    channels: int,
) -> None:
    side = max(16, find_architecture(name).minimum_pixels)
    data = make_data(channels=channels, size=(side, side + 2), train=32, validation=9, test=9)
    trial = trained(data, name, make_attempt(), channels_last=channels == 3)
    loaded = load_model(trial.save(tmp_path / "model"))

    images_NHWC = torch.from_numpy(data.images_NHWC[:6].copy())
    with torch.inference_mode():
        expected = trial.training.predict_logits(torch.arange(6)).softmax(dim=1)
        found = loaded(images_NHWC)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    encoded = [png(pixels) for pixels in data.images_NHWC[:6]]
    torch.testing.assert_close(loaded.predict(encoded), found, rtol=0, atol=0)


def test_layers_may_share_weights(make_data: MakeData, tmp_path: Path) -> None:
    data = make_data()
    flat = {**default_of("mlp", 1), "hidden": (64, 64), "batch_norm": False}
    trial = NetworkTrial(flat, TrialInputs(data=data), Runtime(device="cpu"), seed=0)
    first, _, _, second, *_ = trial.training.model.hidden  # type: ignore[misc]
    second.weight = first.weight
    loaded = load_model(trial.save(tmp_path))
    found = loaded(torch.from_numpy(data.images_NHWC[:6].copy()))
    expected = trial.predict_logits(np.arange(6)).softmax(dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def data(make_data: MakeData) -> ImageData:
    return make_data()


@pytest.fixture
def exported(data: ImageData, make_attempt: Callable[..., Attempt], tmp_path: Path) -> Path:
    return trained(data, "linear", make_attempt()).save(tmp_path)


def test_the_card_tells_what_the_model_was_trained_on(exported: Path, data: ImageData) -> None:
    card = load_model(str(exported)).card
    assert isinstance(card, ModelCard)
    assert card.class_names == data.class_names
    assert (card.image_size, card.num_channels) == ((8, 8), 1)
    assert (card.dataset, card.dataset_fingerprint) == (data.source, data.fingerprint)
    assert card.config["architecture"] == "linear"


def test_images_of_another_size_are_resized_to_the_models(exported: Path) -> None:
    large = np.random.default_rng(0).integers(0, 256, (31, 20, 3), dtype=np.uint8)
    probabilities_NK = load_model(exported).predict([png(large)])
    assert probabilities_NK.shape == (1, 3)
    assert probabilities_NK.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("missing", ["weights", "card"])
def test_a_missing_file_is_named(exported: Path, missing: str) -> None:
    path = exported if missing == "weights" else card_path(exported)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{path.name}: no such file; .* two files"):
        load_model(exported)


@pytest.mark.parametrize("given", [2, None, "1"])
def test_another_format_is_refused(exported: Path, given: object) -> None:
    card = card_path(exported)
    card.write_text(json.dumps(json.loads(card.read_text()) | {"format": given}))
    with pytest.raises(ValueError, match=rf"format = {given!r}: must be 1"):
        load_model(exported)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda model, card: model.write_bytes(model.read_bytes()[:40]), "not a whole file of w"),
        (
            lambda model, card: card.write_text(card.read_text()[:40]),
            "not the JSON of a model: Exp",
        ),
        (lambda model, card: card.write_text("[]"), "not the JSON of a model: list"),
        (lambda model, card: card.write_bytes(b"\xff\xfe\xff"), "not the JSON of a model: "),
        (
            lambda model, card: card.write_text(card.read_text().replace('"linear"', '"mlp"')),
            "the weights are not those that the JSON names",
        ),
    ],
)
def test_a_damaged_file_is_named(
    exported: Path, damage: Callable[[Path, Path], object], said: str
) -> None:
    """`predict` and `export` answer a `ValueError` by its message, and other errors not at all."""
    damage(exported, card_path(exported))
    with pytest.raises(ValueError, match=said):
        load_model(exported)
