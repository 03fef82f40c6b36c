"""What a run's `run.json` holds: how it began, what it needs to go on, where its rows come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trainables.config import Configuration, Runtime
from trainables.config.validation import from_json, to_json
from trainables.datasets import ImageData
from trainables.datasets.duplicates import Duplicates
from trainables.features import Features
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state import provenance
from tune_jobs.engine.run_state.provenance import Hardware
from tune_jobs.engine.run_state.resources import Resources

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MUST_MATCH = (
    "dataset_fingerprint",
    "split_fingerprint",
    "architecture",
    "space",
    "suggests",
    "epochs",
    "metric",
    "features",
    "weights",
)
"""What a resumed run must share with its earlier sessions: else its trials do not compare."""

JOURNAL_FILE = "journal"
"""What `--study` is by default: a file of the run's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInfo:
    """The information of a run, rewritten whenever a part becomes known.

    Attributes:
        dataset: As `--dataset` names it.
        data: The data set in words.
        notes: What the user should know of the data and of earlier sessions.
        dataset_fingerprint: sha256 of the decoded images and labels.
        split_fingerprint: sha256 of the indices of the splits.
        space: The search space's function, by its dotted name.
        suggests: What it suggests from: name -> Optuna's distribution, as text.
        weights: What networks start from, with the file's sha256.
        published: The job's, as this session has them.
        duplicates: `None`: they were not counted.
        git_commit, git_clean: Of the checkout that ran; `None` outside one.
        hardware: The driver's machine.
        versions: Of Python and the packages that can change a result.
        command: The command line of the session.
        started_at: When the session began, ISO 8601, UTC.
        study: `journal`, or the URL of the database that holds the record.
        resources: What a trial takes; `None` until the cluster is known.
        runtime: In which arithmetic the trials train; `None` until it was probed.
        default_configs: What the probe was told by each architecture.
    """

    run_id: str
    job: str
    dataset: str
    data: str
    notes: tuple[str, ...]
    dataset_fingerprint: str
    split_fingerprint: str
    architecture: str
    space: str
    suggests: Mapping[str, str] = field(default_factory=dict)
    epochs: int
    metric: str = "accuracy"
    features: Features | None
    weights: str
    options: Options
    published: tuple[Published, ...]
    duplicates: Duplicates | None = None
    git_commit: str | None
    git_clean: bool | None = None
    hardware: Hardware | None = None
    versions: Mapping[str, str]
    command: str
    started_at: str
    study: str = JOURNAL_FILE
    resources: Resources | None = None
    runtime: Runtime | None = None
    default_configs: Mapping[str, Configuration] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = to_json(self)
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RunInfo":
        """The inverse of `to_json`, also for what an earlier version has stored.

        Raises:
            ValueError: A value is missing, or not what it must be.
        """
        return from_json(cls, stored)

    def noting(self, *notes: str) -> "RunInfo":
        return replace(self, notes=(*self.notes, *notes))


def describe_run(
    job: Job,
    options: Options,
    data: ImageData,
    weights_digest: str | None,
    distributions: "Mapping[str, BaseDistribution]",
    duplicates: Duplicates | None = None,
) -> RunInfo:
    """All that is known of a run before Ray starts."""
    return RunInfo(
        run_id=options.run_id,
        job=job.name,
        dataset=data.source,
        data=describe_data(data),
        notes=(*data.notes, *describe_duplicates(duplicates)),
        dataset_fingerprint=data.fingerprint,
        split_fingerprint=data.split_fingerprint,
        architecture=job.architecture,
        space=f"{job.space.__module__}.{job.space.__qualname__}",
        suggests={name: str(distributions[name]) for name in sorted(distributions)},
        epochs=options.epochs,
        metric=options.metric,
        features=job.features,
        weights=options.weights + (f" sha256:{weights_digest}" if weights_digest else ""),
        options=options,
        published=job.published,
        duplicates=duplicates,
        git_commit=provenance.git_commit(),
        git_clean=provenance.git_is_clean(),
        hardware=provenance.hardware(),
        versions=provenance.versions(),
        command=provenance.command(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def describe_data(data: ImageData) -> str:
    """`digits: 1797 images of 8x8x1 in 10 classes; 1150 train, 288 validation, 359 test`."""
    height, width = data.image_size
    return (
        f"{data.source}: {len(data.labels_N)} images of {height}x{width}x{data.num_channels} in "
        f"{data.num_classes} classes; {len(data.train_indices)} train, "
        f"{len(data.validation_indices)} validation, {len(data.test_indices)} test"
    )


def describe_duplicates(duplicates: Duplicates | None) -> list[str]:
    """What the user should know of images that train and test share."""
    if duplicates is None:
        return []
    notes = {
        "test images are training images, pixel by pixel": duplicates.exact_train_test,
        "test images look like a training image (by a hash: a hint)": duplicates.near_train_test,
    }
    return [f"{count} {note}" for note, count in notes.items() if count]


def continue_run(info: RunInfo, earlier: RunInfo | None) -> RunInfo:
    """`info`, with what an earlier session of the run has found out.

    Raises:
        RequestError: The run began as another one; the message lists the differences.
    """
    if earlier is None:
        return info
    differences = [
        f"  {key}: was {was!r}, is {now!r}"
        for name in MUST_MATCH
        for key, was, now in _pairs(name, getattr(earlier, name), getattr(info, name))
        if was != now
    ]
    if differences:
        raise RequestError(
            f"--run-id = {info.run_id!r}: that run began differently, and its trials would "
            "not compare with new ones:\n" + "\n".join(differences) + "\nTake another --run-id."
            " (--fork begins a new run with the best configurations of an earlier one)"
        )
    if earlier.git_commit != info.git_commit:
        info = info.noting(
            f"an earlier session ran commit {earlier.git_commit}, this one runs "
            f"{info.git_commit}: their results compare only if no change between them matters"
        )
    return replace(info, runtime=earlier.runtime, default_configs=earlier.default_configs)


def _pairs(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """What to compare, and what to call it: of names and values, each by itself."""
    was, now = to_json(was), to_json(now)
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield name, was, now
    elif was:  # an early version did not record what a space suggests
        for key in {**was, **now}:
            yield f"{name}.{key}", was.get(key), now.get(key)
