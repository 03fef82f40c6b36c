"""An ensemble is exported and loaded as a model is, and answers the mean of its members."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import trainables
from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.features import Hog
from trainables.features.extract import describe_all
from trainables.registry import default_of
from trainables.training.pretrained import load_pretrained
from trainables.trials.attempt import Attempt
from trainables.trials.exported.ensemble import ENSEMBLE, ImageEnsemble, save_ensemble
from trainables.trials.exported.model import card_path
from trainables.trials.inputs import TrialInputs
from trainables.worker.run_task import build_trial

WEIGHTS = {"net": 0.5, "fit": 0.25, "net-2": 0.25}


@pytest.fixture
def data(make_data: Callable[..., ImageData]) -> ImageData:
    return make_data(size=(16, 16), channels=3)


@pytest.fixture
def members(
    data: ImageData, make_attempt: Callable[..., Attempt], tmp_path: Path
) -> dict[str, tuple[Path, float]]:
    """Two networks and an estimator on features, exported."""
    features = describe_all(Hog(components=6), data)
    trained = {
        "net": ("cnn", TrialInputs(data=data)),
        "fit": ("svm", TrialInputs(data=data, features=features)),
        "net-2": ("linear", TrialInputs(data=data)),
    }
    found = {}
    for name, (architecture, inputs) in trained.items():
        trial = build_trial(default_of(architecture, 1), inputs, Runtime(device="cpu"), seed=0)
        list(trial.train(make_attempt()))
        found[name] = trial.save(tmp_path / name), WEIGHTS[name]
    return found


def test_it_answers_the_weighted_mean(
    data: ImageData, members: dict[str, tuple[Path, float]], tmp_path: Path
) -> None:
    exported = save_ensemble(tmp_path, members)
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == {
        ENSEMBLE,
        f"{ENSEMBLE}.json",
        "ensemble.fit.skops",
    }
    model = trainables.load_model(exported)
    assert isinstance(model, ImageEnsemble)
    images_NHWC = torch.from_numpy(data.images_NHWC[data.test_indices])
    with torch.inference_mode():
        found_NK = model(images_NHWC)
        alone = [
            weight * trainables.load_model(path)(images_NHWC) for path, weight in members.values()
        ]
    torch.testing.assert_close(found_NK, torch.stack(alone).sum(dim=0))
    assert not torch.allclose(alone[0] / 0.5, found_NK, atol=1e-3)


@pytest.mark.parametrize("names", [("large", "small"), ("small", "large")])
def test_each_member_sees_images_of_its_size(
    make_data: Callable[..., ImageData],
    make_attempt: Callable[..., Attempt],
    tmp_path: Path,
    names: tuple[str, ...],
) -> None:
    """As of a space with `max_image_sizes`: whatever the order, the larger ones are taken."""
    found = {}
    for name in names:
        inputs = TrialInputs(data=make_data(size={"large": (16, 12), "small": (8, 8)}[name]))
        trial = build_trial(default_of("linear", 1), inputs, Runtime(device="cpu"), seed=0)
        list(trial.train(make_attempt()))
        found[name] = trial.save(tmp_path / name), 0.5
    model = trainables.load_model(save_ensemble(tmp_path, found))
    assert model.card.image_size == (16, 12)
    large = make_data(size=(16, 12))
    assert model.card.dataset_fingerprint == large.fingerprint
    images_NHWC = large.images_NHWC[:5]
    smaller = [
        np.asarray(Image.fromarray(image_HWC[..., 0]).resize((8, 8), Image.Resampling.BILINEAR))
        for image_HWC in images_NHWC
    ]
    seen = {"large": images_NHWC, "small": np.stack(smaller)[..., None]}
    with torch.inference_mode():
        alone = [
            trainables.load_model(path)(torch.tensor(seen[name]))
            for name, (path, _) in found.items()
        ]
        found_NK = model(torch.tensor(images_NHWC))
    torch.testing.assert_close(found_NK, torch.stack(alone).mean(dim=0), rtol=0, atol=0.005)


def test_its_card_says_what_it_takes(
    data: ImageData, members: dict[str, tuple[Path, float]], tmp_path: Path
) -> None:
    card = trainables.load_model(save_ensemble(tmp_path, members)).card
    assert (card.class_names, card.image_size, card.num_channels) == (
        data.class_names,
        (16, 16),
        3,
    )
    assert (card.dataset, card.dataset_fingerprint) == (data.source, data.fingerprint)


def test_another_format_is_refused(members: dict[str, tuple[Path, float]], tmp_path: Path) -> None:
    card = card_path(save_ensemble(tmp_path, members))
    stored = json.loads(card.read_text())
    card.write_text(json.dumps(stored | {"format": 3}))
    with pytest.raises(ValueError, match="format = 3: must be 2"):
        trainables.load_model(tmp_path / ENSEMBLE)
    card.write_text(json.dumps(stored | {"members": {"net": {}}}))
    with pytest.raises(ValueError, match="not the JSON of an ensemble: KeyError"):
        trainables.load_model(tmp_path / ENSEMBLE)


def test_a_network_cannot_start_from_it(
    members: dict[str, tuple[Path, float]], tmp_path: Path
) -> None:
    exported = save_ensemble(tmp_path, members)
    with pytest.raises(ConfigError, match="is an ensemble, of net, fit, net-2: give the model of"):
        load_pretrained(str(exported), "cnn")
