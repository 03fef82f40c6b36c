"""Weights to start from: read without unpickling, fitted by name and shape, or refused."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import ResNet18_Weights
from torchvision.models import resnet18 as torchvision_resnet18

from trainables.architectures import find_architecture
from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData
from trainables.registry import default_of
from trainables.training.fit import build_training, fit
from trainables.training.inputs import ImageInputs
from trainables.training.pretrained import Pretrained, load_pretrained, start_from
from trainables.trials.attempt import Attempt
from trainables.trials.inputs import TrialInputs
from trainables.trials.network_trial import NetworkTrial

MakeData = Callable[..., ImageData]
MakeAttempt = Callable[[], Attempt]
CPU = Runtime(device="cpu")


def flat(name: str, **knobs: object) -> dict[str, object]:
    return {**default_of(name, 1), "batch_size": 16, **knobs}


def loaded(path: Path, name: str = "resnet18") -> Pretrained:
    return load_pretrained(str(path), name)


@pytest.fixture
def exported(make_data: MakeData, make_attempt: MakeAttempt, tmp_path: Path) -> Path:
    trial = NetworkTrial(flat("cnn"), TrialInputs(data=make_data(channels=3)), CPU, seed=0)
    list(trial.train(make_attempt()))
    return trial.save(tmp_path)


def test_an_exported_model_starts_another_task_with_a_classifier_of_its_own(
    make_data: MakeData, exported: Path
) -> None:
    pretrained = loaded(exported, "cnn")
    assert not any(name.startswith("classifier") for name in pretrained.arrays)
    training = build_training(
        flat("cnn"), make_data(channels=3, classes=5), CPU, seed=1, pretrained=pretrained
    )
    for name, tensor in training.model.state_dict().items():
        if name.startswith("classifier"):
            assert tensor.shape[0] == 5
        else:
            assert torch.equal(tensor, torch.tensor(pretrained.arrays[name])), name
    (report,) = fit(training)
    assert not report.diverged


def test_the_normalisation_of_an_exported_model_goes_with_its_weights(
    make_data: MakeData, exported: Path
) -> None:
    card = json.loads(exported.with_name("model.safetensors.json").read_text())["normalisation"]
    training = build_training(
        flat("cnn", normalisation="weights"),
        make_data(channels=3, seed=7),
        CPU,
        seed=0,
        pretrained=loaded(exported, "cnn"),
    )
    assert isinstance(training.inputs, ImageInputs)
    assert list(training.inputs.normalisation.mean) == card["mean"]
    assert list(training.inputs.normalisation.std) == card["std"]


def test_a_card_that_cannot_be_read_is_named(exported: Path) -> None:
    exported.with_name("model.safetensors.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"model.safetensors.json is not the JSON of a model"):
        load_pretrained(str(exported), "cnn")


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("resnet18", (0.485, 0.456, 0.406)),
        ("torchvision:squeezenet1_1", (0.485, 0.456, 0.406)),
        ("torchvision:googlenet", (0.5, 0.5, 0.5)),
    ],
)
def test_a_librarys_weights_have_the_normalisation_of_its_card(
    name: str, mean: tuple[float, ...], tmp_path: Path
) -> None:
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "file.safetensors")
    normalisation = loaded(tmp_path / "file.safetensors", name).normalisation
    assert normalisation is not None
    assert normalisation.mean == mean


def test_grey_images_are_repeated_for_a_network_of_colour_images(
    make_data: MakeData, exported: Path
) -> None:
    data = make_data(channels=1)
    trial = NetworkTrial(
        flat("cnn"), TrialInputs(data=data, pretrained=loaded(exported, "cnn")), CPU, seed=0
    )
    batch_NCHW = trial.training.inputs.plain(torch.arange(4))
    assert batch_NCHW.shape == (4, 3, 8, 8)
    assert torch.equal(batch_NCHW[:, 0], batch_NCHW[:, 2])


def test_colour_images_are_refused_by_a_network_of_grey_ones(
    make_data: MakeData, tmp_path: Path
) -> None:
    grey = NetworkTrial(flat("cnn"), TrialInputs(data=make_data(channels=1)), CPU, seed=0)
    pretrained = loaded(grey.save(tmp_path), "cnn")
    with pytest.raises(ConfigError, match="--weights: they are of a network for images of 1"):
        build_training(flat("cnn"), make_data(channels=3), CPU, seed=0, pretrained=pretrained)


def test_a_torch_state_dict_of_torchvisions_names(make_data: MakeData, tmp_path: Path) -> None:
    torch.manual_seed(5)
    theirs = torchvision_resnet18(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    training = build_training(
        flat("resnet18", stem="imagenet"),
        make_data(channels=3, size=(32, 32)),
        CPU,
        seed=0,
        pretrained=loaded(tmp_path / "resnet18.pth"),
    )
    images_NCHW = torch.randn(2, 3, 32, 32)
    theirs.fc = nn.Identity()
    with torch.inference_mode():
        training.model.eval().classifier = nn.Identity()
        features = training.model(images_NCHW)
        torch.testing.assert_close(features, theirs.eval()(images_NCHW))


def test_a_file_from_before_batches_were_counted(make_data: MakeData, tmp_path: Path) -> None:
    """As torchvision's of `vgg16_bn` and `densenet121`."""
    state = torchvision_resnet18(weights=None).state_dict()
    older = {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}
    torch.save(older, tmp_path / "older.pth")
    training = build_training(
        flat("resnet18", stem="imagenet"),
        make_data(channels=3, size=(32, 32)),
        CPU,
        seed=0,
        pretrained=loaded(tmp_path / "older.pth"),
    )
    found = training.model.state_dict()["backbone.layer4.1.bn2.weight"]
    assert torch.equal(found, state["layer4.1.bn2.weight"])


@pytest.mark.parametrize("change", [torch.Tensor.requires_grad_, torch.Tensor.bfloat16])
def test_tensors_that_numpy_does_not_take(
    change: Callable[[torch.Tensor], torch.Tensor], tmp_path: Path
) -> None:
    torch.save({"w": change(torch.tensor([0.5, 3.0]))}, tmp_path / "file.pth")
    array = loaded(tmp_path / "file.pth", "cnn").arrays["w"]
    assert array.dtype == "float32"
    assert array.tolist() == [0.5, 3.0]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_stem_that_comes_last_tells_the_channels(
    make_data: MakeData, tmp_path: Path, channels: int
) -> None:
    """safetensors sorts by name: `blocks` before `conv_stem`."""
    name, data = "timm:mobilenetv3_small_050", make_data(channels=channels, size=(32, 32))
    trial = NetworkTrial(flat(name), TrialInputs(data=data), CPU, seed=0)
    pretrained = loaded(trial.save(tmp_path), name)
    assert pretrained.in_channels == channels
    build_training(flat(name), data, CPU, seed=0, pretrained=pretrained)


def test_a_library_may_have_a_network_without_weights(tmp_path: Path) -> None:
    assert find_architecture("timm:ghostnet_050").imagenet is None
    torch.save({"conv_stem.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "mine.pth")
    found = loaded(tmp_path / "mine.pth", "timm:ghostnet_050").arrays
    assert list(found) == ["backbone.conv_stem.weight"]


def test_what_does_not_fit_is_listed(make_data: MakeData, tmp_path: Path) -> None:
    torch.save(torchvision_resnet18(weights=None).state_dict(), tmp_path / "resnet18.pth")
    with pytest.raises(ConfigError, match=r"backbone.conv1.weight: \(64, 3, 7, 7\) in the file"):
        build_training(
            flat("resnet18"),
            make_data(channels=3, size=(32, 32)),
            CPU,
            seed=0,
            pretrained=loaded(tmp_path / "resnet18.pth"),
        )


def test_weights_of_another_architecture_are_refused(exported: Path) -> None:
    with pytest.raises(ConfigError, match="not in the file") as error:
        start_from(nn.Sequential(nn.Linear(2, 2)), loaded(exported, "cnn"))
    assert "not in the model" in str(error.value)


def test_an_architecture_without_imagenet_weights_says_so() -> None:
    with pytest.raises(ConfigError, match="there are none for cnn: give scratch"):
        load_pretrained("imagenet", "cnn")


@pytest.mark.parametrize("name", ["resnet18", "torchvision:resnet18"])
def test_a_failed_download_names_the_file_and_the_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"of ResNet18_Weights.\w+ from https://") as error:
        load_pretrained("imagenet", name)
    assert str(tmp_path) in str(error.value)
    assert "--weights PATH" in str(error.value)


def test_a_download_that_nobody_answers_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("trainables.architectures._libraries.weights.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr("urllib.request._opener", None)  # it has read the proxies before
        with pytest.raises(ConfigError, match="timed out"):
            load_pretrained("imagenet", "resnet18")
    assert socket.getdefaulttimeout() is None


class Canary:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"weight": Canary(tmp_path / "canary")}, tmp_path / "evil.pth")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pretrained(str(tmp_path / "evil.pth"), "cnn")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["damaged.safetensors", "damaged.pth"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x08\0\0\0\0\0\0\0 nonsense")
    with pytest.raises(ConfigError, match=rf"{name}': cannot be read"):
        load_pretrained(str(tmp_path / name), "cnn")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.pth': there is no such file"):
        load_pretrained(str(tmp_path / "nowhere.pth"), "cnn")


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "no.pth")
    with pytest.raises(ConfigError, match="must be a state dict"):
        load_pretrained(str(tmp_path / "no.pth"), "cnn")


def test_the_digest_tells_weights_apart(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        save_file({"w": torch.full((2,), value)}, tmp_path / f"{value}.safetensors")
    first, second = (loaded(tmp_path / f"{v}.safetensors", "cnn").digest for v in (1.0, 2.0))
    assert first != second


def test_imagenet_weights_that_are_there_already_need_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    state = torchvision_resnet18(weights=None).state_dict()
    torch.save(state, folder / Path(ResNet18_Weights.IMAGENET1K_V1.url).name)
    pretrained = load_pretrained("imagenet", "resnet18")
    assert pretrained.in_channels == 3
    assert set(pretrained.arrays) == {f"backbone.{n}" for n in state if not n.startswith("fc.")}
