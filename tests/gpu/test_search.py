"""A whole search on a GPU that trials share, and a prediction with its winner."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ray", reason="NO SEARCH ON A GPU WAS TESTED: Ray is not installed")


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_trials_share_a_gpu(tmp_path: Path) -> None:
    said = run(
        "tune_jobs.digits_cnn",
        *("--trials", "6", "--epochs", "4", "--gpus-per-trial", "auto"),
        *("--storage", str(tmp_path), "--data-dir", str(tmp_path)),
    )
    assert "trials a GPU: the largest takes" in said
    [record] = tmp_path.glob("runs/digits_cnn/*/run.json")
    assert json.loads(record.read_text())["runtime"]["device"] == "cuda"
    [model, *_] = record.parent.glob("models/*.safetensors")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "image.png")
    assert "image.png" in run("tune_jobs", "predict", str(model), str(tmp_path / "image.png"))
