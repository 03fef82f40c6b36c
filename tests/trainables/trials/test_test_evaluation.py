"""What is kept of the one look at test, and what a model is said to cost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

from trainables.config import ConfigError, Runtime
from trainables.config.features import Frozen, Pixels
from trainables.datasets import ImageData
from trainables.features.describe import FrozenDescriber
from trainables.features.extract import describe_all
from trainables.registry import default_of
from trainables.storage import LocalStorage
from trainables.training.evaluate import score
from trainables.trials.attempt import Attempt
from trainables.trials.checkpoint import Checkpoints
from trainables.trials.embeddings import EMBEDDINGS, choose_positions, read_embeddings
from trainables.trials.inputs import TrialInputs
from trainables.trials.predictions import (
    PREDICTIONS,
    VALIDATION,
    DamagedFileError,
    read_predictions,
)
from trainables.trials.test_evaluation import evaluate_on_test
from trainables.trials.watchdog import Watchdog
from trainables.worker.run_task import build_trial

CPU = Runtime(device="cpu")


def build(data: ImageData, architecture: str = "linear", **changes: object) -> Any:
    flat = {**default_of(architecture, 1), **changes}
    return build_trial(flat, TrialInputs(data=data), CPU, seed=1)


def test_every_prediction_is_read_back(tmp_path: Path, make_data: Callable[..., ImageData]) -> None:
    data = make_data()
    trial = build(data)
    figures = evaluate_on_test(trial, data, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {PREDICTIONS, VALIDATION, EMBEDDINGS}
    stored = read_predictions(LocalStorage(tmp_path))
    assert stored is not None
    np.testing.assert_array_equal(stored.indices_N, data.test_indices)
    np.testing.assert_array_equal(stored.labels_N, data.labels_N[data.test_indices])
    assert stored.probabilities_NK.shape == (len(data.test_indices), data.num_classes)
    assert stored.probabilities_NK.dtype == np.float32
    np.testing.assert_allclose(stored.probabilities_NK.sum(axis=1), 1, rtol=1e-5)
    assert stored.correct_N.mean() == figures.accuracy
    assert stored.names == tuple(f"image {index}" for index in data.test_indices)
    seen = read_predictions(LocalStorage(tmp_path), VALIDATION)
    assert seen is not None
    np.testing.assert_array_equal(seen.indices_N, data.validation_indices)
    expected_NK = trial.predict_logits(data.validation_indices).softmax(dim=1).numpy()
    np.testing.assert_array_equal(seen.probabilities_NK, expected_NK)


def test_a_loss_is_the_same_thing_on_validation_and_on_test(
    make_data: Callable[..., ImageData], make_attempt: Callable[[], Attempt]
) -> None:
    """Also where an estimator is sure of a wrong answer: what the search saw is compared with test,
    and an ensemble is chosen by what is predicted here."""
    data = make_data()
    data = replace(data, labels_N=np.random.default_rng(0).permutation(data.labels_N))
    inputs = TrialInputs(data=data, features=describe_all(Pixels(), data))
    trial = build_trial({**default_of("knn", 1), "k": 1}, inputs, CPU, seed=1)
    [report] = trial.train(make_attempt())
    logits_NK = trial.predict_logits(data.validation_indices)
    found = score(logits_NK, torch.tensor(data.labels_N[data.validation_indices]))
    assert found.loss > 10
    assert report.metrics.val_loss == pytest.approx(found.loss)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_image_without_an_answer_is_named(
    tmp_path: Path, make_data: Callable[..., ImageData], value: float
) -> None:
    data = make_data()
    trial = build(data)
    image = data.test_indices[3]

    def answer(indices: "np.ndarray[Any, Any]") -> torch.Tensor:
        logits_NK = torch.zeros(len(indices), data.num_classes)
        logits_NK[torch.tensor(indices == image), data.labels_N[image]] = value
        return logits_NK

    trial.predict_logits = answer
    with pytest.raises(ConfigError, match=f"the test image 'image {image}' is no finite number"):
        evaluate_on_test(trial, data, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_predicting_is_progress(tmp_path: Path, make_data: Callable[..., ImageData]) -> None:
    """A split may take longer than --trial-timeout: the watchdog hears of each batch."""

    class Counting(Watchdog):
        count = 0

        def progress(self) -> None:
            self.count += 1

    data = make_data(validation=600, test=300)
    trial, place = build(data), LocalStorage(tmp_path)
    watchdog = Counting(None, place)
    list(trial.train(Attempt(checkpoints=Checkpoints(place), watchdog=watchdog)))
    assert watchdog.count == trial.training.num_steps + 3
    before = watchdog.count
    trial.predict_logits(data.test_indices)
    trial.features(data.test_indices)
    assert watchdog.count == before + 4


def test_predictions_that_an_earlier_version_wrote_have_no_names(tmp_path: Path) -> None:
    columns: dict[str, Any] = {name: [1, 0] for name in ("index", "label", "predicted")}
    columns["probabilities"] = pa.FixedSizeListArray.from_arrays(
        pa.array([0.0, 1.0, 1.0, 0.0], pa.float32()), 2
    )
    pq.write_table(pa.table(columns), tmp_path / PREDICTIONS)
    stored = read_predictions(LocalStorage(tmp_path))
    assert stored is not None
    assert stored.names is None
    assert stored.correct_N.all()


@pytest.mark.parametrize(("hidden", "between"), [([12, 7], 12), ([7], None)])
def test_two_layers_are_kept_where_there_are_two(
    tmp_path: Path, make_data: Callable[..., ImageData], hidden: list[int], between: int | None
) -> None:
    data = make_data()
    trial = build(data, "mlp", hidden=hidden)
    evaluate_on_test(trial, data, tmp_path)
    kept = read_embeddings(LocalStorage(tmp_path))
    assert kept is not None
    np.testing.assert_array_equal(kept.positions_N, np.arange(len(data.test_indices)))
    assert kept.last_ND.shape == (len(data.test_indices), 7)
    np.testing.assert_array_equal(kept.last_ND, trial.features(data.test_indices).numpy())
    if between is None:
        assert kept.intermediate_ND is None
        assert list(kept.by_layer) == ["last"]
    else:
        assert kept.intermediate_ND is not None
        assert kept.intermediate_ND.shape == (len(data.test_indices), between)
        assert list(kept.by_layer) == ["intermediate", "last"]


def test_of_many_images_some_from_everywhere_are_kept() -> None:
    positions_N = choose_positions(10_000)
    assert (len(positions_N), positions_N[0], positions_N[-1]) == (1000, 0, 9_999)
    assert set(np.diff(positions_N)) <= {9, 10, 11}


def test_a_folder_without_predictions_has_none(tmp_path: Path) -> None:
    assert read_predictions(LocalStorage(tmp_path)) is None
    assert read_embeddings(LocalStorage(tmp_path)) is None


def test_damaged_predictions_are_an_error(
    tmp_path: Path, make_data: Callable[..., ImageData]
) -> None:
    data = make_data()
    evaluate_on_test(build(data), data, tmp_path)
    content = bytearray((tmp_path / PREDICTIONS).read_bytes())
    content[len(content) // 4] ^= 1
    (tmp_path / PREDICTIONS).write_bytes(content)
    with pytest.raises(DamagedFileError):
        read_predictions(LocalStorage(tmp_path))


def test_the_cost_is_that_of_the_model(tmp_path: Path, make_data: Callable[..., ImageData]) -> None:
    data = make_data(size=(8, 8), channels=1, classes=3)
    cost = evaluate_on_test(build(data), data, tmp_path).cost
    assert cost is not None
    assert cost.multiply_adds == 8 * 8 * 3
    assert cost.latency_seconds > 0
    assert cost.throughput > 0
    assert cost.peak_host_bytes > 2**20
    assert (cost.peak_device_bytes is not None) == torch.cuda.is_available()


@pytest.mark.parametrize("architecture", ["linear", "logistic_regression"])
def test_the_latency_counts_from_the_image(
    tmp_path: Path,
    make_data: Callable[..., ImageData],
    make_attempt: Callable[[], Attempt],
    architecture: str,
) -> None:
    """What a user waits for, and `--max-latency` limits, includes the frozen network."""
    data = make_data(size=(16, 16), channels=3)
    features = describe_all(Frozen(architecture="cnn", config={}), data)
    inputs = TrialInputs(data=data, features=features)
    trial = build_trial(default_of(architecture, 1), inputs, CPU, seed=1)
    list(trial.train(make_attempt()))
    sizes = []

    def watch(module: torch.nn.Module, images: tuple[torch.Tensor, ...], _: object) -> None:
        if isinstance(module, FrozenDescriber):
            sizes.append(tuple(images[0].shape))

    watching = register_module_forward_hook(watch)
    evaluate_on_test(trial, data, tmp_path)
    watching.remove()
    assert len(sizes) > 3
    assert set(sizes) == {(1, 16, 16, 3)}


def test_convolutions_count_as_they_are_written(
    tmp_path: Path, make_data: Callable[..., ImageData]
) -> None:
    data = make_data(size=(16, 16), channels=3, classes=3)
    trial = build(data, "cnn")
    counted = trial.count_multiply_adds()
    expected = 0

    def add(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal expected
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        places = output[0, 0].numel() if output.ndim == 4 else 1
        expected += weight.numel() * places

    model = trial.training.model
    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(add)
    model(torch.zeros(1, 3, 16, 16))
    assert counted == expected
