"""What the probe chooses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.features import Pixels
from trainables.features.extract import describe_all
from trainables.registry import default_of
from trainables.training.fit import build_training, fit
from trainables.trials.inputs import TrialInputs
from trainables.worker.probe import check_proposals, measure_costs, probe

MakeData = Callable[..., ImageData]

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="chooses the GPU")


def probe_of(name: str, data: ImageData, pinned: Any = None, **config: Any) -> Runtime:
    return probe({**default_of(name, 1), **config}, TrialInputs(data=data), pinned=pinned)


@without_gpu
def test_a_model_learns_in_the_runtime_that_it_chooses(make_data: MakeData) -> None:
    runtime = probe_of("mlp", make_data())
    assert runtime.device == "cpu"
    (report,) = fit(build_training(default_of("mlp", 1), make_data(), runtime, seed=0))
    assert not report.diverged


@without_gpu
@pytest.mark.parametrize("pinned", ["fp32", "bf16"])
def test_a_pinned_precision_is_kept(make_data: MakeData, pinned: Literal["fp32", "bf16"]) -> None:
    assert probe_of("linear", make_data(), pinned).precision == pinned


@pytest.mark.parametrize(("train", "epochs", "images"), [(60, 1, 4), (60, 4, 15), (600, 100, 32)])
def test_a_short_trial_is_probed_on_few_images(
    make_data: MakeData, train: int, epochs: int, images: int
) -> None:
    seen = set()

    def see(module: torch.nn.Module, batches: tuple[torch.Tensor, ...]) -> None:
        seen.add(len(batches[0]))

    with torch.nn.modules.module.register_module_forward_pre_hook(see):
        probe(default_of("linear", epochs), TrialInputs(data=make_data(train=train)), pinned="fp32")
    assert seen == {4, images}, "four, to see how long an image takes"


def test_a_batch_that_would_take_long_is_probed_on_few_images(
    make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()

    def see(module: torch.nn.Module, batches: tuple[torch.Tensor, ...]) -> None:
        seen.add(len(batches[0]))

    monkeypatch.setattr("trainables.worker.probe.STEP_SECONDS", 1e-9)
    with torch.nn.modules.module.register_module_forward_pre_hook(see):
        probe(default_of("linear", 100), TrialInputs(data=make_data(train=600)), pinned="fp32")
    assert seen == {4}


def test_an_unknown_architecture(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match="did you mean 'linear'"):
        probe_of("lineer", make_data())


def test_a_configuration_that_breaks_a_rule(make_data: MakeData) -> None:
    with pytest.raises(ConfigError, match="lr = -1: must be greater than 0"):
        probe_of("linear", make_data(), lr=-1)


def test_an_estimator_has_no_choice(make_data: MakeData) -> None:
    data = make_data()
    given = TrialInputs(data=data, features=describe_all(Pixels(), data))
    assert probe(default_of("knn", 1), given, pinned=None) == Runtime(device="cpu")


def test_a_network_needs_no_scikit_learn() -> None:
    """Importing it costs each process of a search a second."""
    check = "import sys, trainables.trials.network_trial; sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_a_space_of_which_nothing_can_be_trained_is_refused(make_data: MakeData) -> None:
    inputs = TrialInputs(data=make_data())
    default = default_of("cnn", 1)
    hopeless = {**default, "filters": (8,) * 12, "same_padding": False}
    with pytest.raises(ConfigError, match="none of 3 configurations sampled from it can be traine"):
        check_proposals([hopeless] * 3, inputs)
    check_proposals([hopeless, hopeless, default], inputs)


@without_gpu
def test_what_it_takes_to_train_is_measured_and_what_cannot_be_is_left_out(
    make_data: MakeData, tmp_path: Path
) -> None:
    data = make_data()
    configs = [default_of(name, 1) for name in ("linear", "cnn", "knn")]
    configs.append({**default_of("mlp", 1), "lr": -1})
    configs.append({**default_of("svm", 1), "features": "hog"})
    inputs = TrialInputs(data=data, features_folder=tmp_path)
    costs = measure_costs(configs, inputs, "bf16")
    assert list(costs) == ["linear", "cnn", "svm"]
    on_hog = costs.pop("svm")
    assert (on_hog.multiply_adds, on_hog.epoch_seconds) == (None, 0)
    assert on_hog.features_seconds > 0
    fewest = data.images_NHWC[0].size * data.num_classes
    assert costs["linear"].multiply_adds == fewest
    assert (costs["cnn"].multiply_adds or 0) > fewest
    assert all(cost.epoch_seconds > 0 for cost in costs.values())
    found = [cost.runtime for cost in costs.values()]
    assert [runtime.precision for runtime in found if runtime] == ["bf16", "bf16"]
    assert on_hog.runtime is None
