"""A user's own architecture in a job file outside this repository."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tune_jobs.engine.results.leaderboard import read_rows

pytestmark = pytest.mark.usefixtures("on_one_ray")

ARCHITECTURE = """
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    width: int = 16


class Model(nn.Module):
    def __init__(self, config, *, in_channels, image_size, num_classes):
        super().__init__()
        height, width = image_size
        self.hidden = nn.Linear(in_channels * height * width, config.width)
        self.classifier = nn.Linear(config.width, num_classes)

    def features(self, images_NCHW):
        {body}

    def forward(self, images_NCHW):
        return self.classifier(self.features(images_NCHW))
"""

JOB = """
from my_space import space
from tune_jobs.engine import Job, main

JOB = Job(
    name="mine", dataset="digits", architecture="my_package.my_net", space=space, trials=2, epochs=2
)

if __name__ == "__main__":
    main(JOB)
"""

SPACE = """
def space(trial):
    trial.suggest_float("lr", 1e-3, 1e-1, log=True)
    trial.suggest_int("width", 8, 32)
"""


def run_own_job(
    folder: Path, body: str, *arguments: str, space: str = SPACE, default_width: int = 16
) -> "subprocess.CompletedProcess[str]":
    (folder / "my_package").mkdir()
    (folder / "my_package" / "__init__.py").touch()
    network = ARCHITECTURE.format(body=body).replace("= 16", f"= {default_width}")
    (folder / "my_package" / "my_net.py").write_text(network)
    (folder / "my_space.py").write_text(space)
    (folder / "my_job.py").write_text(JOB)
    return subprocess.run(
        [sys.executable, "my_job.py", "--retrain-seeds", "1", "--precision", "fp32", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "your-own.md").read_text()
README = (ROOT / "README.md").read_text()


def write_pages_files(folder: Path) -> None:
    """The code blocks of the page that begin with a file's name, as those files."""
    for name, text in re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, flags=re.DOTALL):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def write_photos(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for label, name in enumerate(("cat", "dog", "owl")):
        (folder / "photos" / name).mkdir(parents=True)
        for i in range(20):
            pixels = generator.integers(80 * label, 80 * label + 90, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{i}.png")


def test_the_pages_own_job_is_searched_retrained_and_ranked(tmp_path: Path) -> None:
    write_pages_files(tmp_path)
    write_photos(tmp_path)
    assert "    python -m mine.job\n" in PAGE
    done = subprocess.run(
        [sys.executable, "-m", "mine.job"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "python -m mine.job --trials N --resume" in done.stdout
    rows = read_rows(tmp_path).rows
    assert {row.architecture for row in rows if not row.ensemble} == {"mine.net"}
    assert {row.dataset for row in rows} == {"folder:photos"}


@pytest.mark.parametrize("page", [README, PAGE], ids=["README", "your-own"])
def test_the_pages_code_runs_a_job_and_predicts(tmp_path: Path, page: str) -> None:
    [code] = re.findall(r"```python\n(import trainables\n.*?)```", page, flags=re.DOTALL)
    Image.new("L", (8, 8)).save(tmp_path / "digit.png")
    code = code.replace("trials=8", "smoke=True") + "print(tuple(probabilities.shape))\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(1, 10)"
    assert list((tmp_path / "results").iterdir())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("return undefined_name", 2, "cannot train my_package.my_net: NameError"),
        ("return self.hidden(images_NCHW.flatten(1)) / (1 - self.training)", 1, "diverged"),
    ],
)
def test_one_that_cannot_be_trained_says_why(
    tmp_path: Path, body: str, status: int, said: str
) -> None:
    done = run_own_job(tmp_path, body)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stderr
    assert not (tmp_path / "leaderboards").exists()


def test_configurations_that_cannot_be_built_fail_and_the_others_are_ranked(
    tmp_path: Path,
) -> None:
    body = """if self.hidden.out_features > 14:
            raise ValueError("the kernel is larger than the image")
        return self.hidden(images_NCHW.flatten(1))"""
    done = run_own_job(tmp_path, body, "--trials", "8", default_width=10)
    assert done.returncode == 0, done.stdout + done.stderr
    [rows] = [read_rows(tmp_path).rows]
    widths = [json.loads(row.config)["width"] for row in rows if not row.ensemble]
    assert max(widths) <= 14
    assert {row.num_trials for row in rows} == {8}
    assert sum(row.winner for row in rows) == 1
    assert not any(row.num_failed_seeds for row in rows)
    [said] = [line for line in done.stdout.splitlines() if line.startswith("failed ")]
    found = re.fullmatch(r"failed +(\d) of 8 configurations; the first, trial \d: (.*)", said)
    assert found
    assert found[2] == "ValueError: the kernel is larger than the image"
    assert f"{found[1]} failed; best" in done.stdout


def test_a_name_that_the_architecture_does_not_have_is_named(tmp_path: Path) -> None:
    body = "return self.hidden(images_NCHW.flatten(1))"
    done = run_own_job(tmp_path, body, space=SPACE.replace("width", "widht"))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "suggests what my_package.my_net does not have: 'widht' (did you mean" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_space_fixes_is_what_is_probed(tmp_path: Path) -> None:
    """The default width is no layer's: only the space's constant makes a network of it."""
    body = "return self.hidden(images_NCHW.flatten(1))"
    space = SPACE.replace('trial.suggest_int("width", 8, 32)', 'return {"width": 8}')
    done = run_own_job(tmp_path, body, space=space, default_width=-1)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row for row in read_rows(tmp_path).rows if not row.ensemble]
    assert {json.loads(row.config)["width"] for row in rows} == {8}


def test_the_search_begins_inside_a_space_that_leaves_the_default_out(tmp_path: Path) -> None:
    body = "return self.hidden(images_NCHW.flatten(1))"
    space = SPACE + '    trial.suggest_float("l2", 1e-6, 1e-2, log=True)\n'
    done = run_own_job(tmp_path, body, space=space)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = " ".join(done.stdout.split())
    assert "the default configuration is tried first, but l2 = 0.0: the space holds in" in printed
    default = [row for row in read_rows(tmp_path).rows if row.origin == "default"]
    assert [json.loads(row.config)["l2"] for row in default] == [1e-6]
