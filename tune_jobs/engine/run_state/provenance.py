"""Tell where a result comes from: versions, commit, hardware, command line."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tune_jobs import __version__

PACKAGES = ("ray", "torch", "torchvision", "optuna", "numpy", "scikit-learn")
"""The packages that can change a result, besides this one."""


MAIN = "__main__"


def module_of(definition: Any) -> str:
    """Return the dotted name of the module that defines a function or a class; the one that
    `python -m` runs has its own, not `__main__`. A script (`python my_job.py`) is in no package,
    and stays `__main__`."""
    module: str = definition.__module__
    if module == MAIN:
        spec = getattr(sys.modules[MAIN], "__spec__", None)
        return spec.name if spec else MAIN
    return module


def versions() -> dict[str, str]:
    """Return the versions of Python, of this code and of those of `PACKAGES` that are installed.

    Ours is that of the code that runs: a working directory that was sent to a cluster may be newer
    than what is installed there.
    """
    found = {"python": sys.version.split()[0], "tune-jobs": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Return the commit of the checkout that this code runs from; `None` outside a checkout."""
    return _git("rev-parse", "HEAD") or None


def git_is_clean() -> bool | None:
    """Return whether the checkout's files are as committed; `None` outside a checkout."""
    changes = _git("status", "--porcelain")
    return None if changes is None else not changes


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return None
    result = subprocess.run(  # noqa: S603 (our own words)
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return None if result.returncode else result.stdout.strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """Describes a machine: the model of its CPU, its cores and its memory."""

    cpu: str
    cores: int
    memory_bytes: int


def hardware() -> Hardware:
    """Return the machine of the driver; a trial's GPU is in the run's `runtime`."""
    return Hardware(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )


def _cpu_model() -> str:
    """Return the CPU's model, from /proc on Linux, where `platform.processor()` is empty."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def program() -> list[str]:
    """Return the words that started this process, to be typed again, without its arguments:
    `python -m tune_jobs.digits_cnn`, `python my_job.py`, `tune-jobs`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.name != "__main__":
        return ["python", "-m", spec.name.removesuffix(".__main__")]
    script = sys.argv[0]
    name = Path(script).name
    if shutil.which(name) == script:  # found on the PATH, so its name is enough
        return [name]
    is_command = Path(script).suffix != ".py" and os.access(script, os.X_OK)
    return [script] if is_command else ["python", script]


def command() -> str:
    """Return the command line of this process, as it can be typed again."""
    return shlex.join([*program(), *sys.argv[1:]])
