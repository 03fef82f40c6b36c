"""Where a result comes from: versions, commit, command."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tune_jobs import __version__

PACKAGES = ("ray", "torch", "torchvision", "optuna", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Python's, ours and those of the packages that can change a result.

    Ours is the code's that runs: a working directory sent to a cluster may be newer than what is
    installed there.
    """
    found = {"python": sys.version.split()[0], "tune-jobs": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from; `None` outside one."""
    return _git("rev-parse", "HEAD") or None


def git_is_clean() -> bool | None:
    """Whether the checkout's files are as committed; `None` outside one."""
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
    """A machine: the model of its CPU, its cores and its memory."""

    cpu: str
    cores: int
    memory_bytes: int


def hardware() -> Hardware:
    """The machine of the driver; a trial's GPU is in the run's `runtime`."""
    return Hardware(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )


def _cpu_model() -> str:
    """As Linux tells it; `platform.processor()` is empty there."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def program() -> list[str]:
    """How this process was started, as the words to type again, without its arguments:
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
    """The command line of this process, as it can be typed again."""
    return shlex.join([*program(), *sys.argv[1:]])
