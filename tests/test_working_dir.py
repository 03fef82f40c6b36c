"""What `ray job submit --working-dir .` sends to the cluster, packed by Ray's own functions."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
from ray._private.ray_constants import get_runtime_env_default_excludes
from ray._private.runtime_env.packaging import create_package

ROOT = Path(__file__).parents[1]
LIMIT_BYTES = 2_000_000
LEFT_HERE = (
    "data/cifar10/train.bin",
    "runs/digits_mlp/1/study.journal",
    "leaderboards/digits_mlp/1.parquet",
    "smoke/runs/digits_mlp/1/study.journal",
    "results/runs/digits_mlp/1/checkpoints/0.safetensors",
    "results/leaderboards/digits_mlp/1.parquet",
    ".venv/lib/python3.11/site-packages/torch/torch.so",
    ".git/objects/pack/1.pack",
    ".mypy_cache/3.11/torch.data.json",
    ".env",
    "tune_jobs/__pycache__/digits_mlp.cpython-311.pyc",
    "tune_jobs.egg-info/PKG-INFO",
    "build/lib/tune_jobs/digits_mlp.py",
    "dist/tune_jobs-0.2.0-py3-none-any.whl",
    "docs/options.md",
    "examples/photos/photos/cat/1.png",
    "tests/test_working_dir.py",
    "mlflow.db",
    "mlartifacts/1/artifacts/index.html",
    "wandb/offline-run-20260102_000000-one/run-one.wandb",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as it is here, in a folder where everything has been run already."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("trainables", "searchspaces", "tune_jobs"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "constraints.txt", "README.md", ".gitignore", ".rayignore"):
        shutil.copy(ROOT / name, checkout)
    for name in LEFT_HERE:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(LIMIT_BYTES))
    return checkout


def pack(folder: Path, target: Path, *, gitignore: bool) -> set[str]:
    excludes = get_runtime_env_default_excludes()
    create_package(str(folder), target, include_gitignore=gitignore, excludes=excludes)
    with ZipFile(target) as package:
        return set(package.namelist())


@pytest.mark.parametrize("gitignore", [True, False])
def test_all_of_the_project_and_nothing_else_is_sent(
    checkout: Path, tmp_path: Path, gitignore: bool
) -> None:
    target = tmp_path / "package.zip"
    sent = pack(checkout, target, gitignore=gitignore)
    assert not sent & set(LEFT_HERE)
    code = {
        str(path.relative_to(ROOT))
        for name in ("trainables", "searchspaces", "tune_jobs")
        for path in (ROOT / name).rglob("*.py")
    }
    assert code | {"pyproject.toml", "constraints.txt"} <= sent
    assert target.stat().st_size < LIMIT_BYTES


def test_this_checkout_is_small(tmp_path: Path) -> None:
    target = tmp_path / "package.zip"
    sent = pack(ROOT, target, gitignore=True)
    assert {"pyproject.toml", "tune_jobs/__main__.py"} <= sent
    assert target.stat().st_size < LIMIT_BYTES
