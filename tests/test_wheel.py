"""The wheel, built and installed as a user's `pip install` has it, without a network.

Its dependencies are those of the environment that runs the tests.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

import tune_jobs

ROOT = Path(__file__).parents[1]
PACKAGES = ("trainables", "searchspaces", "tune_jobs")


def run(*words: str | Path, cwd: Path, **environment: str) -> str:
    """-> what the command has printed; where it fails, the test does, with what it said."""
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words, cwd=cwd, env=usual | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy, since setuptools leaves folders where it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", "dist")
    run(sys.executable, "-m", "pip", "wheel", *options, ".", cwd=folder)
    [file] = (folder / "dist").iterdir()
    return file


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """-> the folder of commands of a new virtual environment that has the wheel.

    This environment's packages follow on its path. An editable install in it does not count, as
    only a site's own folder has its `.pth` files read.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    here = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=here))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    imported = run(python, "-c", "import tune_jobs; print(tune_jobs.__file__)", cwd=folder)
    assert Path(imported.strip()) == packages / "tune_jobs" / "__init__.py"
    return python.parent


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {f"{name}/py.typed" for name in PACKAGES} <= files
    assert packed == files


def test_the_command_is_named_as_it_was_typed(commands: Path, tmp_path: Path) -> None:
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    assert run(commands / "tune-jobs", "--version", cwd=tmp_path) == (
        f"tune-jobs {tune_jobs.__version__}\n"
    )
    assert "digits_cnn" in run(commands / "tune-jobs", "jobs", cwd=tmp_path)
    for words in ([], ["predict"], ["leaderboard"], ["leaderboard", "reproduce"]):
        typed = " ".join(["tune-jobs", *words])
        said = run(commands / "tune-jobs", *words, "--help", cwd=tmp_path, PATH=path)
        assert said.startswith(f"usage: {typed} [-h]")
    said = run(commands / "tune-jobs", "--help", cwd=tmp_path)  # not on the path: typed in full
    assert said.split()[:2] == ["usage:", str(commands / "tune-jobs")]


def test_a_job_runs_in_an_empty_folder(commands: Path, tmp_path: Path) -> None:
    run(commands / "python", "-m", "tune_jobs.digits_cnn", "--smoke", cwd=tmp_path)
    [record] = tmp_path.glob("smoke/runs/digits_cnn/*/run.json")
    written = json.loads(record.read_text())
    assert written["git_commit"] is None
    assert written["versions"]["tune-jobs"] == tune_jobs.__version__
