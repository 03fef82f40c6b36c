"""Where a result comes from: versions, commit, command."""

import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("tune-jobs", "ray", "torch", "torchvision", "optuna", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Python's and the packages' that can change a result."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from; `None` outside one."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    result = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or None


def program() -> list[str]:
    """How this process was started, without its arguments: `python -m tune_jobs.digits_cnn`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.name != "__main__":
        return ["python", "-m", spec.name.removesuffix(".__main__")]
    return ["python", sys.argv[0]]


def command() -> str:
    """The command line of this process, as it can be typed again."""
    return shlex.join([*program(), *sys.argv[1:]])
