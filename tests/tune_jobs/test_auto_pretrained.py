"""Pretrained backbones in the job of any images: frozen, fine-tuned, or left out, and why."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torchvision.models import mobilenet_v2

import trainables
from searchspaces.joined import JoinedSpace
from tune_jobs import engine
from tune_jobs.auto import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.reproduce import find_row, reproduce
from tune_jobs.engine.results.run_result import RunResult

pytestmark = pytest.mark.usefixtures("on_one_ray")

BACKBONE = "torchvision:mobilenet_v2"
CHOSEN = ("linear", "logistic_regression", BACKBONE)
SIZES = {"bright": (60, 110), "dark": (80, 52)}
COUNTS = {"bright": 24, "dark": 10}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of two unequal classes, of different sizes."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (folder / name).mkdir()
        low = 128 if name == "bright" else 0
        for number in range(count):
            pixels = generator.integers(low, low + 128, (*SIZES[name], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "mobilenet_v2.pt"
    torch.save(mobilenet_v2(weights=None).state_dict(), file)
    return file


def run(storage: Path, photos: Path, **options: object) -> RunResult:
    given: dict[str, object] = {
        "dataset": f"folder:{photos}",
        "data_dir": storage,
        "epochs": 1,
        "trials": 3,
        "retrain_top": 1,
        "retrain_seeds": 1,
        "precision": "fp32",
        "run_id": "one",
    }
    assert isinstance(JOB.space, JoinedSpace)
    job = replace(JOB, space=JOB.space.choosing(CHOSEN))
    return engine.run(job, console=Console(quiet=True), storage=storage, **{**given, **options})


def info_of(storage: Path) -> dict[str, object]:
    stored: dict[str, object] = json.loads((storage / "runs/auto/one/run.json").read_text())
    return stored


@pytest.fixture(scope="module")
def storage(
    on_one_ray: None, photos: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    storage = tmp_path_factory.mktemp("auto")
    run(storage, photos, weights=str(weights))
    return storage


def test_a_row_says_what_it_sees_and_starts_from(storage: Path, weights: Path) -> None:
    linear, frozen, finetuned = (find_row(f"one:{number}", storage) for number in range(3))
    assert [row.architecture for row in (linear, frozen, finetuned)] == list(CHOSEN)
    assert (linear.weights, linear.features) == ("scratch", None)
    assert str(weights) in (frozen.weights or "")
    assert str(weights) in (finetuned.weights or "")
    spec = json.loads(frozen.features or "")
    assert (spec["architecture"], spec["image_size"]) == (BACKBONE, 224)
    assert (frozen.features_seconds or 0) > 0
    sizes = [json.loads(row.config)["max_image_size"] for row in (linear, frozen, finetuned)]
    assert sizes == [32, None, None]
    assert json.loads(finetuned.config)["head_epochs"] == 1


def test_images_are_decoded_at_a_usual_size_and_reduced_for_some(storage: Path) -> None:
    assert "34 images of 64x64x3 in 2 classes" in str(info_of(storage)["data"])
    linear = find_row("one:0", storage)
    assert linear.num_parameters == 2 * (32 * 32 * 3 + 1)


def test_weights_of_classes_are_searched_where_classes_are_unequal(storage: Path) -> None:
    suggests = info_of(storage)["suggests"]
    assert isinstance(suggests, dict)
    for name in CHOSEN:
        assert "balanced" in suggests[f"{name}.class_weights"]


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_weights_gave_is_reproduced(storage: Path, number: int) -> None:
    assert reproduce(find_row(f"one:{number}", storage), storage).agrees


def test_a_model_on_frozen_features_takes_photographs_as_they_are(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    result = run(tmp_path, photos, weights=str(weights), architectures="logistic_regression")
    assert result.model is not None
    model = trainables.load_model(result.model)
    probabilities = model.predict([(photos / "dark" / "0.png").read_bytes()])
    assert probabilities.shape == (1, 2)


@pytest.mark.parametrize("given", ["scratch", "imagenet"])
def test_without_weights_what_needs_them_is_left_out_with_the_reason(
    photos: Path,
    weights: Path,
    tmp_path: Path,
    no_download: None,
    given: str,
) -> None:
    run(tmp_path, photos, weights=given)
    left_out = info_of(tmp_path)["left_out"]
    assert isinstance(left_out, dict)
    assert set(left_out) == {BACKBONE, "logistic_regression"}
    for reason in left_out.values():
        assert ("--weights is scratch" if given == "scratch" else "the download of") in reason
    [note] = [n for n in info_of(tmp_path)["notes"] if "not tried" in n]  # type: ignore[attr-defined]
    assert "logistic_regression" in note
    assert find_row("one:0", tmp_path).architecture == "linear"
    run(tmp_path, photos, weights=given, resume="one", run_id=None, trials=4)
    assert info_of(tmp_path)["left_out"] == left_out
    with pytest.raises(RequestError, match="weights: was None, is "):
        run(tmp_path, photos, weights=str(weights), resume="one", run_id=None, trials=4)


@pytest.fixture
def no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "scratch", "architectures": BACKBONE}, "and --weights is scratch"),
        ({"weights": "imagenet", "architectures": f"linear,{BACKBONE}"}, "the download of"),
        ({"weights": "nowhere.pt"}, "nowhere.pt': there is no such file"),
        ({"weights": "nowhere.pt", "architectures": "linear"}, "none of linear starts from them"),
    ],
)
def test_what_was_asked_for_by_name_is_refused(
    photos: Path, tmp_path: Path, no_download: None, options: dict[str, str], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        run(tmp_path, photos, **options)
