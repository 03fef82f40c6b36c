"""Define `run.json`: how a run began, what it needs to go on, and where its rows come from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from searchspaces.joined import JoinedSpace
from trainables.config import Configuration, Runtime
from trainables.config.validation import from_json, to_json
from trainables.datasets import ImageData
from trainables.datasets.duplicates import Duplicates, name_conflicts, name_pairs
from trainables.datasets.errors import counted, name_first
from trainables.datasets.image_data import MajorityClass
from trainables.datasets.splits.folds import propose_folds
from trainables.datasets.splits.groups import count_groups, describe_groups
from trainables.features import Features
from trainables.training.scores import guess
from trainables.trials.report import TrainingCost, find_runtime
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Published, Space
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state import provenance
from tune_jobs.engine.run_state.definitions import find_modules
from tune_jobs.engine.run_state.provenance import Hardware
from tune_jobs.engine.run_state.resources import Resources
from tune_jobs.engine.search.constants import find_constants

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

JOURNAL_FILE = "journal"
"""The default of `--study`: a file of the run's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortfolioEntry:
    """Keeps a configuration that was best elsewhere, and says where.

    Attributes:
        found_in: The path or URI of leaderboards, as `--warm-start` gave it.
        row: The leaderboard's row, as `JOB/RUN:TRIAL`.
        dataset: The data set of that row.
        config: The configuration, as it was found.
    """

    found_in: str
    row: str
    dataset: str
    config: Configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInfo:
    """Holds the information of a run; it is rewritten whenever a part becomes known.

    Attributes:
        dataset: The data set, as `--dataset` names it.
        data: The data set in words.
        class_names: By label; an early version did not record them.
        notes: Remarks for the user on the data and on earlier sessions.
        dataset_fingerprint: sha256 of the decoded images and labels.
        split_fingerprint: sha256 of the indices of the splits.
        space: The search space's function by its dotted name, of a joined space that of each part.
        suggests: The space's distributions: name -> Optuna's distribution, as text.
        returns: The constants that the space returns, as text; an early version had none.
        weights: The weights that networks start from, with the file's sha256.
        backbone: The architecture that they are of, where it is not the run's own.
        left_out: Architectures that there are no weights for, each with the reason: no session of
            the run tries them.
        defined_in: The modules that define metric, sampler and stopping rule, by option; an early
            version did not record them.
        published: The job's published configurations, as this session has them.
        portfolio: Configurations that were best elsewhere, tried among the first trials.
        duplicates: Counts of duplicate images; `None`: they were not counted.
        majority_class: The commonest class, and what always answering it reaches; an early version
            had none.
        chance: What is reached on validation without a look at the images, by figure of
            `trainables.training.scores.guess`; an early version had none.
        git_commit, git_clean: The commit of the checkout that ran, and whether its files were as
            committed; `None` outside a checkout.
        hardware: The driver's machine.
        versions: The versions of Python and of the packages that can change a result.
        command: The command line of the session.
        started_at: The time when the session began, ISO 8601, UTC.
        study: `journal`, or the URL of the database that holds the record.
        resources: The resources of a trial; `None` until the cluster is known.
        runtime: The arithmetic in which trials train whose architecture has none of its own in
            `costs`; `None` until it was probed.
        costs: What the default of each of several architectures costs, and in which arithmetic it
            trains; empty until it was probed.
        default_configs: Each architecture's default configuration when the run began.
        not_tried: Why architectures of the job have no row, by name, when a session ends: those
            that are left out, and those that are too slow for its time budget.
    """

    run_id: str
    job: str
    dataset: str
    data: str
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...]
    dataset_fingerprint: str
    split_fingerprint: str
    architecture: str
    space: str
    suggests: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, str] | None = None
    epochs: int
    metric: str = "accuracy"
    class_weights: str = "none"
    keep: str = "last"
    features: Features | None
    weights: str
    backbone: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    options: Options
    defined_in: Mapping[str, str] = field(default_factory=dict)
    published: tuple[Published, ...]
    portfolio: tuple[PortfolioEntry, ...] = ()
    duplicates: Duplicates | None = None
    majority_class: MajorityClass | None = None
    chance: Mapping[str, float] = field(default_factory=dict)
    git_commit: str | None
    git_clean: bool | None = None
    hardware: Hardware | None = None
    versions: Mapping[str, str]
    command: str
    started_at: str
    study: str = JOURNAL_FILE
    resources: Resources | None = None
    runtime: Runtime | None = None
    costs: Mapping[str, TrainingCost] = field(default_factory=dict)
    default_configs: Mapping[str, Configuration] = field(default_factory=dict)
    not_tried: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = to_json(self)
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RunInfo":
        """Read what `to_json` returned, also that of an earlier version.

        Raises:
            ValueError: A value is missing, or not what it must be.
        """
        return from_json(cls, stored)

    def runtime_of(self, architecture: str) -> Runtime:
        """Return the arithmetic in which an architecture was trained.

        Raises:
            RequestError: The probe has not ended, so that nothing was.
        """
        if self.runtime is None:
            raise RequestError(f"{self.job}/{self.run_id}: nothing of that run has been trained")
        return find_runtime(architecture, self.costs, self.runtime)

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
    """Collect all that is known of a run before its first trial."""
    labels = data.labels_N[data.train_indices], data.labels_N[data.validation_indices]
    return RunInfo(
        run_id=options.run_id,
        job=job.name,
        dataset=data.source,
        data=describe_data(data),
        class_names=data.class_names,
        notes=(
            *data.notes,
            *describe_groups(data),
            *describe_duplicates(duplicates, data),
            *([] if options.smoke else propose_folds(data)),
        ),
        dataset_fingerprint=data.fingerprint,
        split_fingerprint=data.split_fingerprint,
        architecture=job.architecture,
        space=name_space(job.space),
        suggests={name: str(distributions[name]) for name in sorted(distributions)},
        returns=find_constants(job.space),
        epochs=options.epochs,
        metric=options.metric,
        class_weights=options.class_weights,
        keep=options.keep,
        features=job.features,
        weights=options.weights + (f" sha256:{weights_digest}" if weights_digest else ""),
        backbone=job.backbone,
        options=options,
        defined_in=find_modules(options),
        published=job.published,
        duplicates=duplicates,
        majority_class=data.majority_class,
        chance=asdict(guess(*labels, data.num_classes)),
        git_commit=provenance.git_commit(),
        git_clean=provenance.git_is_clean(),
        hardware=provenance.hardware(),
        versions=provenance.versions(),
        command=provenance.command(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def name_space(space: Space) -> str:
    """Return a space's dotted name, of a joined space that of each part."""
    if isinstance(space, JoinedSpace):
        return ", ".join(f"{name}: {name_space(part)}" for name, part in space.spaces.items())
    return f"{provenance.module_of(space)}.{space.__qualname__}"


def describe_data(data: ImageData) -> str:
    """Describe the data in a line.

    For instance: `digits: 1797 images of 8x8x1 in 10 classes; 1150 train, 288 validation, 359 test`
    """
    height, width = data.image_size
    trained = f"{len(data.train_indices)} train, {len(data.validation_indices)} validation"
    if data.folds:
        trained = f"{len(data.known_indices)} in {len(data.folds)} folds"
    return (
        f"{data.source}: {len(data.labels_N)} images of {height}x{width}x{data.num_channels} in "
        f"{data.num_classes} classes; {trained}, {len(data.test_indices)} test"
        f"{count_groups(data)}"
    )


def describe_left_out(left_out: Mapping[str, str]) -> list[str]:
    """Return a remark for each reason for which architectures are not tried."""
    return [
        f"not tried: {', '.join(name for name, why in left_out.items() if why == reason)}: {reason}"
        for reason in dict.fromkeys(left_out.values())
    ]


def describe_duplicates(duplicates: Duplicates | None, data: ImageData) -> list[str]:
    """Return remarks for the user on equal images: in train and test, and of different classes."""
    if duplicates is None:
        return []
    told = []
    if count := duplicates.exact_train_test:
        same = counted(count, "test image is a training image", "test images are training images")
        told.append(f"{same}, pixel by pixel: {name_duplicates(duplicates, data)}")
    if count := duplicates.near_train_test:
        alike = counted(count, "test image looks", "test images look")
        told.append(f"{alike} like a training image (by a hash: a hint)")
    if count := duplicates.num_conflicts:
        examples = name_conflicts(duplicates.conflict_examples, data)
        pairs = name_first(examples, total=count, whole=duplicates.conflict_list)
        equal = counted(count, "image has", "images have")
        told.append(f"{equal} the pixels of an image of another class: {pairs}")
    return told


def name_duplicates(duplicates: Duplicates, data: ImageData) -> str:
    """Name the first exact pairs of a training and a test image, and the file that has them all."""
    examples = name_pairs(duplicates.train_test_examples, data)
    total, whole = duplicates.exact_train_test, duplicates.train_test_list
    return name_first(examples, total=total, whole=whole)
