"""Every option of a run: the command line, the Python API and `run.json` at once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """`90`, `90s`, `30m`, `2h`, `1d` -> seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise ValueError("a number with s, m, h or d behind it: 90s, 30m, 2h")
    return float(match[1]) * SECONDS[match[2] or "s"]


def _option(default: Any, help: str, parse: Callable[[str], Any] | None = None) -> Any:
    return field(default=default, metadata={"help": help, "parse": parse})


def _resolved(help: str) -> Any:
    """An option whose default is the job's, or follows from the others: see `Options.resolve`."""
    return field(metadata={"help": help, "parse": None})


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """`None` means: not limited, or worked out from the machine, as the help says."""

    dataset: str = _resolved(
        "digits, fashion-mnist, mnist, cifar10, stl10, folder:PATH, csv:PATH or parquet:PATH",
    )
    data_dir: Path = _option(Path("data"), "downloads and decoded images are kept here", Path)
    train_size: int | None = _option(None, "take a stratified subset of this many images of train")
    image_size: int | None = _resolved("resize images to this many pixels a side")
    split_seed: int = _option(0, "seed of the splits into train, validation and test")

    trials: int = _resolved("configurations to try")
    epochs: int = _resolved("full budget of a trial")
    time_budget: float | None = _option(None, "end the search after, e.g., 90s, 30m, 2h", seconds)
    sampler: Literal["tpe", "random"] = _option("tpe", "Optuna's sampler")
    scheduler: Literal["asha", "median", "none"] = _option("asha", "early stopping")
    grace_period: int = _resolved("first rung, in epochs (a tenth of --epochs)")
    reduction_factor: int = _option(3, "asha: one in so many trials goes on past a rung")
    brackets: int = _option(1, "asha: brackets, each with a later first rung")
    seed: int = _option(0, "seed of the sampler and of the trials' weights and draws")

    retrain_top: int = _option(3, "retrain so many of the best full-budget configurations")
    retrain_seeds: int = _option(3, "over so many seeds each")

    storage: Path = _option(Path(), "runs/ and leaderboards/ are written below it", Path)
    run_id: str = _resolved("name of the run; that of an earlier run continues it")
    resume: str | None = _option(None, "continue the run of this name, which must exist")

    address: str | None = _option(None, "a running Ray cluster (auto, or HOST:PORT); else local")
    cpus_per_trial: float = _option(1.0, "CPUs of a trial")
    gpus_per_trial: float | None = _option(None, "GPUs of a trial, may be a fraction (1 if any)")
    max_parallel: int | None = _option(None, "at most so many trials at once")
    precision: Literal["auto", "fp32", "bf16"] = _option("auto", "arithmetic; auto probes")
    verbose: bool = _option(False, "show Ray's own messages")

    @classmethod
    def resolve(cls, job: Job, **given: Any) -> "Options":
        """The options with the job's own defaults filled in, checked.

        Raises:
            RequestError: Every problem at once, each with key, value and rule.
        """
        defaults: dict[str, Any] = {
            "dataset": job.dataset,
            "image_size": job.image_size,
            "trials": job.trials,
            "epochs": job.epochs,
        }
        given = {key: value for key, value in given.items() if value is not None}
        unknown = sorted(set(given) - {f.name for f in fields(cls)})
        if unknown:
            raise RequestError(f"unknown options: {', '.join(unknown)}")
        if "resume" in given and "run_id" in given:
            raise RequestError("--resume and --run-id name the same thing: give one of them")
        defaults["run_id"] = given.get("resume") or _new_run_id()
        defaults["grace_period"] = max(1, given.get("epochs", job.epochs) // 10)
        paths = {name: Path(given[name]) for name in ("data_dir", "storage") if name in given}
        options = cls(**{**defaults, **given, **paths})
        problems = list(options._problems())
        if problems:
            raise RequestError("\n".join(problems))
        return options

    def _problems(self) -> Iterator[str]:
        for name, minimum in MINIMA.items():
            value = getattr(self, name)
            if value is not None and value < minimum:
                yield f"--{name.replace('_', '-')} = {value}: must be at least {minimum}"
        for f in fields(self):
            choices = getattr(f.type, "__args__", ()) if "Literal" in str(f.type) else ()
            value = getattr(self, f.name)
            if choices and value not in choices:
                flag = f.name.replace("_", "-")
                yield f"--{flag} = {value!r}: must be one of {', '.join(choices)}"
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.run_id):
            yield (
                f"--run-id = {self.run_id!r}: must be letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit, since it names a folder"
            )

    def as_json(self) -> dict[str, Any]:
        return {k: str(v) if isinstance(v, Path) else v for k, v in _values(self).items()}


MINIMA: dict[str, float] = {
    "train_size": 1,
    "image_size": 1,
    "trials": 1,
    "epochs": 1,
    "grace_period": 1,
    "reduction_factor": 2,
    "brackets": 1,
    "seed": 0,
    "split_seed": 0,
    "retrain_top": 1,
    "retrain_seeds": 1,
    "cpus_per_trial": 0,
    "gpus_per_trial": 0,
    "max_parallel": 1,
}


def _values(options: Options) -> dict[str, Any]:
    return {f.name: getattr(options, f.name) for f in fields(options)}


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}"
