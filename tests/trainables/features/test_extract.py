"""Features of a data set: the same however the work is divided, and what trains on them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from trainables import load_model
from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.features import Features, Frozen, Hog, Pixels
from trainables.features.describe import fold_batch_norm
from trainables.features.extract import assemble, chunks, describe_all, describe_chunk
from trainables.registry import default_of
from trainables.training.evaluate import score
from trainables.trials.attempt import Attempt
from trainables.trials.inputs import TrialInputs
from trainables.worker.run_task import build_trial

MakeData = Callable[..., ImageData]
MakeAttempt = Callable[[], Attempt]
CPU = Runtime(device="cpu")

FROZEN = Frozen(
    architecture="cnn", config={"rotation_degrees": 20.0, "crop_fraction": 0.75}, views=2
)
LARGER = Frozen(architecture="cnn", image_size=24)
every_spec = pytest.mark.parametrize("spec", [Pixels(), Hog(components=6), FROZEN, LARGER])


@pytest.fixture
def data(make_data: MakeData) -> ImageData:
    return make_data(size=(16, 16), train=100, validation=40, test=40)


@every_spec
def test_chunks_do_not_matter(data: ImageData, spec: Features) -> None:
    whole = describe_all(spec, data)
    work = reversed(list(chunks(spec, data, 64)))
    parts = assemble({c: describe_chunk(c, spec, data, None) for c in work}, spec, data, None)
    np.testing.assert_array_equal(parts.plain_ND, whole.plain_ND)
    np.testing.assert_array_equal(parts.views_VTD, whole.views_VTD)
    assert parts.fingerprint == whole.fingerprint


def test_batch_norm_is_folded_into_the_convolutions_before_it() -> None:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4))
    block(torch.randn(64, 3, 8, 8) + 1)  # statistics to fold
    network = nn.ModuleDict({"block": block, "linear": nn.Linear(4, 2)}).eval()
    images_NCHW = torch.randn(5, 3, 8, 8)
    before = block(images_NCHW)
    fold_batch_norm(network)
    torch.testing.assert_close(block(images_NCHW), before)
    assert [isinstance(layer, nn.BatchNorm2d) for layer in block] == [False, False, False, True]


def test_views_are_of_train_images_and_differ(data: ImageData) -> None:
    features = describe_all(FROZEN, data)
    assert features.views_VTD.shape == (2, 100, features.plain_ND.shape[1])
    first, second = features.views_VTD
    plain = features.plain_ND[data.train_indices]
    assert not np.allclose(first, second)
    assert not np.allclose(first, plain)


@pytest.mark.parametrize(
    ("spec", "is_shared"),
    [
        (Pixels(), True),
        (Hog(components=6), False),
        (Frozen(architecture="cnn"), False),
        (Frozen(architecture="cnn", config={"normalisation": "half"}), True),
        (Frozen(architecture="cnn", config={"normalisation": "half"}, views=1), False),
    ],
)
def test_splits_have_the_same_features_where_the_fingerprint_says_so(
    data: ImageData, spec: Features, is_shared: bool
) -> None:
    cut = len(data.train_indices) // 2
    other = replace(data, train_indices=data.train_indices[:cut], split_fingerprint="another")
    one, another = describe_all(spec, data), describe_all(spec, other)
    assert (one.fingerprint == another.fingerprint) == is_shared
    if is_shared:
        np.testing.assert_array_equal(one.plain_ND, another.plain_ND)


def test_what_is_fitted_does_not_depend_on_the_test_split(data: ImageData) -> None:
    images = data.images_NHWC.copy()
    images[data.test_indices] = 255 - images[data.test_indices]
    other = replace(data, images_NHWC=images)
    seen = np.concatenate([data.train_indices, data.validation_indices])
    first, second = (describe_all(Hog(components=6), d).plain_ND[seen] for d in (data, other))
    np.testing.assert_array_equal(first, second)


@every_spec
@pytest.mark.parametrize("name", ["mlp", "logistic_regression", "knn", "svm"])
def test_a_model_on_features_learns_and_is_exported_whole(
    data: ImageData, make_attempt: MakeAttempt, tmp_path: Path, spec: Features, name: str
) -> None:
    given = TrialInputs(data=data, features=describe_all(spec, data))
    flat = {**default_of(name, 6), "num_features": 12}
    if name == "mlp":
        flat |= {"batch_size": 16, "lr": 1e-2}
    trial = build_trial(flat, given, CPU, seed=0)
    *_, last = trial.train(make_attempt())
    assert last.metrics.epoch == 6
    assert last.metrics.val_accuracy > 0.4
    labels_N = torch.tensor(data.labels_N[data.test_indices])
    test = score(trial.predict_logits(data.test_indices), labels_N)

    model = load_model(trial.save(tmp_path / "model"))
    images_NHWC = torch.tensor(data.images_NHWC[data.test_indices])
    with torch.inference_mode():
        probabilities_NK = model(images_NHWC)
    predicted_N = probabilities_NK.argmax(dim=1).numpy()
    accuracy = float((predicted_N == data.labels_N[data.test_indices]).mean())
    assert accuracy == pytest.approx(test.accuracy)
    torch.testing.assert_close(
        probabilities_NK.sum(dim=1), torch.ones(len(images_NHWC)).to(probabilities_NK)
    )


def test_an_unknown_knob_of_a_frozen_network_is_refused(data: ImageData) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        describe_all(Frozen(architecture="cnn", config={"filter": 3}), data)
