"""What a GPU trained is used without one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from trainables import load_model
from trainables.config import Runtime
from trainables.datasets import ImageData
from trainables.features import Frozen, Hog
from trainables.features.extract import describe_all
from trainables.registry import default_of
from trainables.storage import LocalStorage
from trainables.trials.attempt import Attempt
from trainables.trials.checkpoint import Checkpoints
from trainables.trials.exported.ensemble import save_ensemble
from trainables.trials.inputs import TrialInputs
from trainables.trials.network_trial import NetworkTrial
from trainables.trials.watchdog import Watchdog
from trainables.worker.run_task import build_trial

FROZEN = Frozen(architecture="cnn", config={"rotation_degrees": 20.0}, views=2)


def test_an_exported_model_predicts_on_the_cpu_what_it_did_in_memory(
    digits: ImageData, tmp_path: Path
) -> None:
    flat = {"architecture": "cnn", "epochs": 2, "batch_size": 64}
    trial = NetworkTrial(flat, TrialInputs(data=digits), Runtime(device="cuda"), seed=0)
    place = LocalStorage(tmp_path / "trial")
    attempt = Attempt(
        checkpoints=Checkpoints(place), watchdog=Watchdog(None, place), epochs_reported=0
    )
    assert [report.metrics.epoch for report in trial.train(attempt)] == [1, 2]
    expected_NK = trial.predict_logits(digits.test_indices).softmax(dim=1).cpu()
    model = load_model(trial.save(tmp_path / "model"))
    with torch.inference_mode():
        found_NK = model(torch.tensor(digits.images_NHWC[digits.test_indices]))
    torch.testing.assert_close(found_NK, expected_NK, rtol=1e-2, atol=1e-2)


def test_an_ensemble_of_a_network_and_an_estimator_predicts_on_the_gpu(
    digits: ImageData, tmp_path: Path
) -> None:
    features = describe_all(Hog(components=8), digits)
    members = {}
    for name, inputs in {
        "linear": TrialInputs(data=digits),
        "logistic_regression": TrialInputs(data=digits, features=features),
    }.items():
        place = LocalStorage(tmp_path / name)
        attempt = Attempt(checkpoints=Checkpoints(place), watchdog=Watchdog(None, place))
        trial = build_trial(default_of(name, 1), inputs, Runtime(device="cuda"), seed=0)
        list(trial.train(attempt))
        members[name] = trial.save(tmp_path / name), 0.5
    model = load_model(save_ensemble(tmp_path, members))
    images_NHWC = torch.tensor(digits.images_NHWC[digits.test_indices])
    with torch.inference_mode():
        expected_NK = model(images_NHWC)
        found_NK = model.to("cuda")(images_NHWC.to("cuda")).cpu()
    torch.testing.assert_close(found_NK, expected_NK, rtol=1e-2, atol=1e-2)


def test_features_are_those_of_the_cpu(digits: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    found = describe_all(FROZEN, digits)
    assert found.views_VTD.shape[:2] == (2, len(digits.train_indices))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    expected = describe_all(FROZEN, digits)
    np.testing.assert_allclose(found.plain_ND, expected.plain_ND, rtol=1e-2, atol=1e-2)
