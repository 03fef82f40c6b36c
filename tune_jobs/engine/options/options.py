"""Every option of a run: the command line, the Python API and `run.json` at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

from trainables.config import ClassWeights
from trainables.config.quantities import count_or_auto, large_number, number_or_auto, seconds
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
from tune_jobs.engine.options.rules import (
    check_folds,
    check_keep,
    check_run_id,
    check_target,
    check_trackers,
    check_workers,
)
from tune_jobs.engine.options.smoke import SMOKE_TRIALS, smoke_defaults
from tune_jobs.engine.search.early_stopping import RULES, RungSettings, check_settings
from tune_jobs.engine.search.limits import ModelLimits
from tune_jobs.engine.search.samplers import SAMPLERS

Seed = Annotated[int, Range(0)]

JOB_DEFAULTS = ("dataset", "image_size", "weights", "trials", "epochs", "metric")
"""Options whose default is the job's."""

UNLIMITED_TRIALS = 10_000
"""With a time budget, time ends the search: more than any search has come to."""


def _option(default: Any, help: str, parse: Callable[[str], Any] | None = None) -> Any:
    return field(default=default, metadata={"help": help, "parse": parse})


def _resolved(help: str, parse: Callable[[str], Any] | None = None) -> Any:
    """An option whose default is the job's, or follows from the others: see `Options.resolve`."""
    return field(metadata={"help": help, "parse": parse})


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """`None` means: not limited, or worked out from the machine, as the help says."""

    dataset: str = _resolved(
        "data set, in one of the ways listed below the options",
    )
    data_dir: Path = _option(Path("data"), "folder of downloads and decoded images", Path)
    train_size: Count | None = _option(
        None, "number of training images to use, a stratified subset (default: all)"
    )
    image_size: Count | Literal["auto"] | None = _resolved(
        "side in pixels that images are resized to; auto takes a usual one where they differ in "
        "size or are large",
        count_or_auto,
    )
    split_seed: Seed = _option(0, "seed of the random splits into train, validation and test")
    folds: Annotated[int, Range(2)] | None = _option(
        None,
        "folds of all but the test split on which each trial of the search is cross-validated, at "
        "so many times the cost: for fewer than about 1,000 images (default: one split)",
    )
    allow_duplicates: bool = _option(
        False, "run although some images, or groups, of the test split are in the train split too"
    )

    architectures: str | None = _option(
        None,
        "architectures that the search chooses between, as mlp,cnn, where the job has several "
        "(default: all that it has)",
    )
    weights: str = _resolved(
        "initial weights of networks: scratch, imagenet (downloaded when missing), or the path of "
        "an exported .safetensors or of a torch state dict"
    )
    smoke: bool = _option(
        False,
        "try all steps in seconds, on images made up in the data set's shape; written into smoke/",
    )

    trials: Count = _resolved(
        "number of configurations that the search tries; with --time-budget, unless given, as many "
        "as there is time for"
    )
    epochs: Count = _resolved("epochs of a trial that is not stopped early")
    time_budget: Positive | None = _option(
        None,
        "time that the run may take, from data to report, as 90s, 30m or 2h; a resumed run has it "
        "anew (default: no limit)",
        seconds,
    )
    target: NotNegative | None = _option(
        None, "metric of a full-budget trial at which the search ends (default: none)"
    )
    patience: Count | None = _option(
        None, "proposals after the best full-budget trial at which the search ends (default: none)"
    )
    metric: Annotated[str, OneOf(METRICS)] = _option(
        "accuracy",
        "metric on the validation split that the search optimises and the winner is chosen by",
    )
    max_parameters: Count | None = _option(
        None,
        "most trainable parameters of a model that may win, as 200k or 1.5M; trials above it are "
        "stopped (default: no limit)",
        large_number,
    )
    max_latency: Positive | None = _option(
        None,
        "longest time to predict one decoded image of a model that may win, its features included, "
        "as 5ms (default: no limit)",
        seconds,
    )
    class_weights: ClassWeights = _option(
        "none",
        "weights of classes in training, where a configuration does not say: balanced has all "
        "classes count the same",
    )
    keep: Literal["last", "best"] = _option(
        "last", "epoch whose model is kept: the last, or the best by --metric on validation"
    )
    sampler: Annotated[str, OneOf(SAMPLERS)] = _option(
        "prior", "Optuna sampler that proposes configurations"
    )
    scheduler: Annotated[str, OneOf(RULES)] = _option("asha", "rule that stops weak trials early")
    grace_period: Count | None = _option(
        None, "epochs before a trial may be stopped early (default: a tenth of --epochs)"
    )
    reduction_factor: Annotated[int, Range(2)] = _option(
        3, "ASHA reduction factor: keep the top 1/N at each rung"
    )
    brackets: Count = _option(1, "number of ASHA brackets, each with a later first rung")
    seed: Seed = _option(
        0, "seed of the sampler, and of the initial weights and random draws of every trial"
    )

    retrain_top: Count = _option(
        3,
        "most configurations of the search to retrain; the best always, others where that takes no "
        "more epochs than the search, or where --time-budget has time for it",
    )
    retrain_seeds: Count = _option(
        3,
        "most seeds that a configuration is retrained with; one that has lost is given no more",
    )

    storage: str = _option(
        ".", "place of runs/ and leaderboards/: a folder, or a URI such as s3://BUCKET/PREFIX"
    )
    study: str | None = _option(
        None,
        "place of the Optuna study: postgresql://USER@HOST/NAME, or journal, a file in the run's "
        "folder (default: journal)",
    )
    log: str | None = _option(
        None,
        "experiment trackers that get every trial, as mlflow,wandb: MLflow, by MLFLOW_TRACKING_URI "
        "or into --storage, and Weights & Biases (default: none)",
    )
    run_id: str = _resolved("name of the run; the name of an earlier run continues that run")
    resume: str | None = _option(None, "name of an earlier run to continue")
    fork: str | None = _option(
        None, "name of an earlier run whose best configurations a new run begins with"
    )
    warm_start: str | None = _option(
        None, "leaderboard, or folder of leaderboards, whose best rows are among the first trials"
    )

    address: str | None = _option(
        None,
        "address of a running Ray cluster, auto or HOST:PORT (default: RAY_ADDRESS, or local)",
    )
    cpus_per_trial: NotNegative = _option(1.0, "CPUs of each worker of a trial")
    gpus_per_trial: NotNegative | Literal["auto"] | None = _option(
        None,
        "GPUs of a trial: 0.25 puts four trials on each GPU, 2 gives a trial two, auto puts as "
        "many trials on each as its memory holds (default: 1 where there are GPUs, else 0)",
        number_or_auto,
    )
    workers_per_trial: Count | None = _option(
        None, "processes of a trial that share each batch (default: one for each of its GPUs)"
    )
    max_parallel: Count | None = _option(
        None, "limit on the number of trials that run at once (default: as many as fit)"
    )
    max_failures: Annotated[int, Range(0)] = _option(
        3, "number of times a trial is started again after its process died or raised an error"
    )
    trial_timeout: Positive | None = _option(
        1800.0,
        "time without progress after which a trial's process is ended, as 90s or 30m",
        seconds,
    )
    precision: Literal["auto", "fp32", "bf16"] = _option(
        "auto", "number format of training; auto measures which is fastest"
    )
    verbose: bool = _option(False, "show the messages of Ray")

    @classmethod
    def resolve(cls, job: Job, **given: Any) -> "Options":
        """The options with the job's own defaults filled in, checked.

        Raises:
            RequestError: Every problem at once, each with key, value and rule.
        """
        defaults: dict[str, Any] = {name: getattr(job, name) for name in JOB_DEFAULTS}
        if given.get("time_budget") is not None:
            defaults["trials"] = UNLIMITED_TRIALS
        if given.get("smoke"):
            defaults |= smoke_defaults(job)
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
        check_settings(options.scheduler, given)
        check_workers(options.gpus_per_trial, options.workers_per_trial)
        check_folds(options.folds, options.workers)
        check_target(options.metric, options.target)
        check_keep(options.metric, options.keep)
        check_trackers(options.log, options.trackers)
        check_run_id(options.run_id)
        return options

    @property
    def workers(self) -> int:
        """Processes that train a trial."""
        gpus = self.gpus_per_trial
        return self.workers_per_trial or (max(1, int(gpus)) if isinstance(gpus, float) else 1)

    @property
    def rung_settings(self) -> RungSettings:
        """Return when early stopping looks at a trial: first after a tenth of the epochs, unless
        `--grace-period` is given."""
        return RungSettings(
            grace_period=self.grace_period or max(1, self.epochs // 10),
            reduction_factor=self.reduction_factor,
            brackets=self.brackets,
            epochs=self.epochs,
        )

    @property
    def for_configurations(self) -> dict[str, str]:
        """Return what configurations have that do not say otherwise, where it is no default."""
        given = {"class_weights": self.class_weights} if self.class_weights != "none" else {}
        return given | ({"keep": self.metric} if self.keep == "best" else {})

    @property
    def trackers(self) -> list[str]:
        """Return the names that `--log` gives, each once."""
        return list(dict.fromkeys(name.strip() for name in (self.log or "").split(",") if name))

    @property
    def model_limits(self) -> ModelLimits:
        return ModelLimits(parameters=self.max_parameters, latency_seconds=self.max_latency)

    @property
    def retraining_seeds(self) -> list[int]:
        return [self.seed + 1 + i for i in range(self.retrain_seeds)]

    @property
    def first_trials(self) -> int | None:
        """Return how many of the published configurations are tried; `None` means all of them."""
        return SMOKE_TRIALS - 1 if self.smoke else None


def _as_flag(problem: str) -> str:
    """`train_size = 0: ...` -> `--train-size = 0: ...`."""
    name, _, rest = problem.partition(" ")
    return f"--{name.replace('_', '-')} {rest}"


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}"
