"""`export` as a user types it: what is written is compared first, and nothing else is left."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from trainables import load_model
from trainables.datasets import ImageData, load_dataset
from trainables.trials.exported.model import card_path
from tune_jobs.engine.cli import commands

NETWORK = """
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True, slots=True)
class Config: ...


class Model(nn.Module):
    def __init__(self, config, *, in_channels, image_size, num_classes):
        super().__init__()
        self.classifier = nn.Linear(16, num_classes)

    def features(self, images_NCHW):
        features_ND = images_NCHW.flatten(1)
        {trick}
        return features_ND

    def forward(self, images_NCHW):
        return self.classifier(self.features(images_NCHW))
"""


@pytest.fixture
def own_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """`model` with a network of the user's own in place of `linear`, which does a trick."""
    name = f"tricks_{request.node.name.partition('[')[0]}"
    package = tmp_path / name
    package.mkdir()
    (package / "net.py").write_text(NETWORK.replace("{trick}", request.param))
    monkeypatch.syspath_prepend(tmp_path)
    changed = tmp_path / "own.safetensors"
    changed.write_bytes(model.read_bytes())
    card = json.loads(card_path(model).read_text())
    card["config"]["architecture"] = f"{name}.net"
    card_path(changed).write_text(json.dumps(card))
    return changed


@pytest.mark.parametrize(("form", "ending"), [("onnx", ".onnx"), ("torch", ".pt2")])
def test_a_file_beside_the_model(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, ending: str
) -> None:
    words = ["export", str(model), "--format", form, "--data-dir", str(tmp_path)]
    assert commands.main(words) == 0
    written = model.with_suffix(ending)
    said = capsys.readouterr().out
    assert said.startswith(f"{written}: probabilities of 64 images (random, since made is not in ")
    assert said.endswith("; 1e-04 is allowed\n")
    assert [file.name for file in written.parent.glob(".unchecked*")] == []


def test_it_is_compared_on_the_data_that_the_model_knows(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_dataset("digits", data_dir=tmp_path / "data", image_size=4)
    known = trained_on(model, data, tmp_path)
    output = tmp_path / "digits.onnx"
    words = ["export", str(known), "--format", "onnx", "--output", str(output)]
    assert commands.main([*words, "--data-dir", str(tmp_path / "data")]) == 0
    assert f"{output}: probabilities of 64 images (of digits) differ" in capsys.readouterr().out
    session = onnxruntime.InferenceSession(output)
    images_NHWC = data.images_NHWC[:9]
    [found_NK] = session.run(None, {"images": images_NHWC})
    with torch.inference_mode():
        ours_NK = load_model(known)(torch.tensor(images_NHWC)).numpy()
    np.testing.assert_allclose(found_NK, ours_NK, atol=1e-6)


def trained_on(model: Path, data: ImageData, folder: Path) -> Path:
    """The model, with a card that says that it knows `data`."""
    path = folder / "known.safetensors"
    path.write_bytes(model.read_bytes())
    card = json.loads(card_path(model).read_text())
    card |= {"dataset": data.source, "dataset_fingerprint": data.fingerprint}
    card_path(path).write_text(json.dumps(card))
    return path


@pytest.mark.parametrize("form", ["onnx", "torch"])
@pytest.mark.parametrize(
    "own_model",
    ["features_ND = features_ND + 1 if torch.compiler.is_exporting() else features_ND"],
    indirect=True,
    ids=["shift"],
)
def test_a_file_that_differs_is_not_kept(
    own_model: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(own_model.parent.iterdir())
    assert commands.main(["export", str(own_model), "--format", form]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {own_model.parent}/own.")
    assert "is not written: probabilities of 64 images" in error
    assert sorted(own_model.parent.iterdir()) == before


@pytest.mark.parametrize(
    "own_model",
    ["features_ND = features_ND if features_ND.sum() > 0 else -features_ND"],
    indirect=True,
    ids=["branch"],
)
def test_a_network_that_cannot_be_traced(
    own_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["export", str(own_model), "--format", "torch"]) == 2
    assert "torch.export cannot trace the network: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.safetensors"], "none.safetensors: no such file"),
        (["MODEL", "--output", "x.pt2"], "--output = 'x.pt2': must end in .onnx for --format onnx"),
        (["MODEL", "--output", "none/x.onnx"], "there is no folder none"),
        (["s3://bucket/model.safetensors"], "--output: must name a file here"),
    ],
)
def test_a_wrong_request(
    model: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(model) if word == "MODEL" else word for word in words]
    assert commands.main(["export", *given, "--format", "onnx"]) == 2
    assert said in capsys.readouterr().err


def test_without_the_extra(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    assert commands.main(["export", str(model), "--format", "onnx"]) == 2
    expected = "onnxruntime: not installed: pip install 'tune-jobs[onnx]'"
    assert expected in capsys.readouterr().err
