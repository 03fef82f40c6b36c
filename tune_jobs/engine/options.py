"""Every option of a run: the command line, the Python API and `run.json` at once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

from trainables.config.validation import (
    Count,
    NotNegative,
    OneOf,
    Positive,
    Range,
    check_fields,
    nearest,
)
from trainables.metrics import METRICS
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.search.early_stopping import RULES, RungSettings
from tune_jobs.engine.search.samplers import SAMPLERS

Seed = Annotated[int, Range(0)]

JOB_DEFAULTS = ("dataset", "image_size", "weights", "trials", "epochs", "metric")
"""Options whose default is the job's."""

SMOKE_TRIALS = 2

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """`90`, `90s`, `30m`, `2h`, `1d` -> seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise ValueError("a number with s, m, h or d behind it: 90s, 30m, 2h")
    return float(match[1]) * SECONDS[match[2] or "s"]


def number_or_auto(text: str) -> float | str:
    """`0.25`, `auto`"""
    return text if text == "auto" else float(text)


def _option(default: Any, help: str, parse: Callable[[str], Any] | None = None) -> Any:
    return field(default=default, metadata={"help": help, "parse": parse})


def _resolved(help: str) -> Any:
    """An option whose default is the job's, or follows from the others: see `Options.resolve`."""
    return field(metadata={"help": help, "parse": None})


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """`None` means: not limited, or worked out from the machine, as the help says."""

    dataset: str = _resolved(
        "data set, in one of the ways listed below the options",
    )
    data_dir: Path = _option(Path("data"), "downloads and decoded images are kept here", Path)
    train_size: Count | None = _option(
        None, "take a stratified subset of this many images of train"
    )
    image_size: Count | None = _resolved("resize images to this many pixels a side")
    split_seed: Seed = _option(0, "seed of the splits into train, validation and test")
    allow_duplicates: bool = _option(
        False, "go on although images of your test split are in your train split too"
    )

    weights: str = _resolved(
        "scratch, imagenet (downloaded when missing), an exported .safetensors, a torch state dict"
    )
    smoke: bool = _option(
        False, "generated images in the data set's shape and a tiny budget: do all steps work?"
    )

    trials: Count = _resolved("configurations to try")
    epochs: Count = _resolved("full budget of a trial")
    time_budget: Positive | None = _option(
        None, "end the search after, e.g., 90s, 30m, 2h", seconds
    )
    metric: Annotated[str, OneOf(METRICS)] = _option(
        "accuracy", "what the search optimises, on the validation split"
    )
    sampler: Annotated[str, OneOf(SAMPLERS)] = _option("tpe", "Optuna's sampler")
    scheduler: Annotated[str, OneOf(RULES)] = _option("asha", "early stopping")
    grace_period: Count | None = _option(None, "first rung, in epochs (a tenth of --epochs)")
    reduction_factor: Annotated[int, Range(2)] = _option(
        3, "asha: one in so many trials goes on past a rung"
    )
    brackets: Count = _option(1, "asha: brackets, each with a later first rung")
    seed: Seed = _option(0, "seed of the sampler and of the trials' weights and draws")

    retrain_top: Count = _option(3, "retrain so many of the best full-budget configurations")
    retrain_seeds: Count = _option(3, "over so many seeds each")

    storage: str = _option(
        ".", "runs/ and leaderboards/ are written below it: a folder, or s3://bucket/prefix"
    )
    study: str | None = _option(
        None,
        "where the record is kept: journal (a file of the run), or postgresql://user@host/name",
    )
    run_id: str = _resolved("name of the run; that of an earlier run continues it")
    resume: str | None = _option(None, "continue the run of this name, which must exist")
    fork: str | None = _option(
        None, "begin a new run with the best configurations of the run of this name"
    )

    address: str | None = _option(None, "a running Ray cluster (auto, or HOST:PORT); else local")
    cpus_per_trial: NotNegative = _option(1.0, "CPUs of a trial; of each worker, if it has several")
    gpus_per_trial: NotNegative | Literal["auto"] | None = _option(
        None,
        "GPUs of a trial: 0.25 for four trials on each, 2 for a worker on each of two, auto for as "
        "many trials on each as fit in its memory (1 if any)",
        number_or_auto,
    )
    workers_per_trial: Count | None = _option(
        None, "processes that share each batch of a trial (one for each of its GPUs)"
    )
    max_parallel: Count | None = _option(None, "at most so many trials at once")
    max_failures: Annotated[int, Range(0)] = _option(
        3, "start a trial again so many times after its process died or raised an error"
    )
    trial_timeout: Positive | None = _option(
        1800.0, "end a trial's process after so long without progress: 90s, 30m, 2h", seconds
    )
    precision: Literal["auto", "fp32", "bf16"] = _option("auto", "arithmetic; auto probes")
    verbose: bool = _option(False, "show Ray's own messages")

    @classmethod
    def resolve(cls, job: Job, **given: Any) -> "Options":
        """The options with the job's own defaults filled in, checked.

        Raises:
            RequestError: Every problem at once, each with key, value and rule.
        """
        defaults: dict[str, Any] = {name: getattr(job, name) for name in JOB_DEFAULTS}
        if given.get("smoke"):
            defaults |= _smoke(job)
        given = {key: value for key, value in given.items() if value is not None}
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise RequestError(f"{name}: there is no such option{nearest(name, known)}")
        if "resume" in given and "run_id" in given:
            raise RequestError("--resume and --run-id name the same thing: give one of them")
        defaults["run_id"] = given.get("resume") or _new_run_id()
        values, problems = check_fields(cls, {**defaults, **given})
        if problems:
            raise RequestError("\n".join(map(_as_flag, problems)))
        options = cls(**values)
        _check_workers(options.gpus_per_trial, options.workers_per_trial)
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", options.run_id):
            raise RequestError(
                f"--run-id = {options.run_id!r}: must be letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit, since it names a folder"
            )
        return options

    @property
    def workers(self) -> int:
        """Processes that train a trial."""
        gpus = self.gpus_per_trial
        return self.workers_per_trial or (max(1, int(gpus)) if isinstance(gpus, float) else 1)

    @property
    def rung_settings(self) -> RungSettings:
        """When early stopping looks at a trial; first after a tenth of the epochs, unless given."""
        return RungSettings(
            grace_period=self.grace_period or max(1, self.epochs // 10),
            reduction_factor=self.reduction_factor,
            brackets=self.brackets,
            epochs=self.epochs,
        )

    @property
    def retraining_seeds(self) -> list[int]:
        return [self.seed + 1 + i for i in range(self.retrain_seeds)]

    @property
    def first_trials(self) -> int | None:
        """How many of the published configurations are tried; `None`: all of them."""
        return SMOKE_TRIALS - 1 if self.smoke else None


def _check_workers(gpus: float | Literal["auto"] | None, workers: int | None) -> None:
    """A worker has one GPU, or a part of one."""
    if gpus == "auto":
        gpus = 1.0  # or less
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise RequestError(
            f"--gpus-per-trial = {gpus}: must be at most 1, or a whole number: each worker has one"
        )
    if workers is not None and gpus and workers != max(1, gpus):
        raise RequestError(
            f"--workers-per-trial = {workers}: must be 1 for each of --gpus-per-trial = {gpus:g}: "
            "leave it away"
        )


def _smoke(job: Job) -> dict[str, Any]:
    """Defaults that take every step of `job` in seconds, without a download."""
    height, width, channels = job.shape
    return {
        "dataset": f"generated:{height}x{width}x{channels}?classes={job.num_classes}",
        "weights": "scratch",
        "trials": SMOKE_TRIALS,
        "epochs": 1,
        "retrain_top": 1,
        "retrain_seeds": 1,
        "max_parallel": 1,
        "storage": "smoke",
    }


def _as_flag(problem: str) -> str:
    """`train_size = 0: ...` -> `--train-size = 0: ...`."""
    name, _, rest = problem.partition(" ")
    return f"--{name.replace('_', '-')} {rest}"


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}"
