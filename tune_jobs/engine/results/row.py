"""Define a row of the leaderboard: its columns, documented.

Version 2 added what can be trusted of a row and what it cost: seeds, the interval, tie groups, the
gain, the selection gap, cost, hardware and duplicates.
"""

import dataclasses
import json
import math
from datetime import datetime
from typing import Annotated, Literal

from trainables.config.validation import from_json
from trainables.metrics import METRICS, Metric, compared_by
from tune_jobs.engine.job import Origin

SCHEMA_VERSION = 2

RowOrigin = Literal[Origin, "ensemble"]

ENSEMBLE = -1
"""The trial number of an ensemble, which is no trial."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """Names a retrained model that is in an ensemble, and its weight in the mean."""

    trial_number: int
    seed: int
    weight: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """Describes one retrained configuration, or the ensemble of the run's models. The fields are
    the columns, in this order.

    Accuracies, F1 and AUROC are fractions in [0, 1]. What does not exist is null, never NaN. A
    column added after version 1 must be nullable: parts written before it read with null.

    Ranks, gains and the selection gap are in `metric`; in accuracy where that is null, or one that
    the test split does not have: `compared_by`.
    """

    schema_version: Annotated[int, "version of these columns"] = SCHEMA_VERSION
    run_id: Annotated[str, "name of the run, unique within the job"]
    job: Annotated[str, "name of the job"]
    dataset: Annotated[str, "name of the dataset"]
    dataset_fingerprint: Annotated[str, "sha256 of the decoded images and labels"]
    split_fingerprint: Annotated[
        str, "sha256 of the train, validation and test indices, and of groups and folds"
    ]
    architecture: Annotated[str, "name of the architecture"]
    features: Annotated[str | None, "what was computed from the images first, JSON"] = None
    weights: Annotated[str | None, "what networks started from: scratch, imagenet or a file"] = None
    metric: Annotated[
        str | None, "what the search optimised on validation, and rows are ranked by on test"
    ] = None
    origin: Annotated[
        RowOrigin, "who proposed the configuration: search, published or default; or ensemble"
    ]
    system: Annotated[str | None, "a published configuration's number in its report"] = None
    reported_accuracy: Annotated[float | None, "what that report claims; null if nothing"] = None
    reported_metric: Annotated[str | None, "what the claimed figure is: test, val, best, ..."] = (
        None
    )
    assumed: Annotated[str | None, "names in config that the report does not give, JSON"] = None
    trial_number: Annotated[int, "number of the trial in the run's study; -1: the ensemble"]
    lr: Annotated[float | None, "initial learning rate"]
    l2: Annotated[float | None, "weight_decay of the optimizer"]
    batch_size: Annotated[int | None, "images per training step"]
    num_micro_batches: Annotated[
        int | None, "parts a batch was split into, to fit in memory; batch norm sees the parts"
    ] = None
    num_workers: Annotated[
        int | None, "processes that shared each batch; on a CPU batch norm sees each one's part"
    ] = None
    dropout: Annotated[float | None, "dropout probability; null if the architecture has none"]
    optimizer: Annotated[str | None, "name of the optimizer"]
    schedule: Annotated[str | None, "name of the learning-rate schedule"]
    epochs: Annotated[int, "epochs of the retraining"]
    config: Annotated[str, "the complete configuration, JSON"]
    num_parameters: Annotated[int | None, "trainable parameters of the model"]
    search_val_accuracy: Annotated[float | None, "validation accuracy that the search saw"]
    search_val_metric: Annotated[float | None, "metric on validation that the search saw"] = None
    num_folds: Annotated[
        int | None, "folds that the search validated on, as a mean; null: one split"
    ] = None
    search_val_metric_se: Annotated[
        float | None, "standard error of search_val_metric over folds, a lower bound"
    ] = None
    val_metric: Annotated[
        float | None, "the metric that the search optimised, on validation, mean over seeds"
    ] = None
    val_accuracy: Annotated[float | None, "validation accuracy, mean over seeds; null if diverged"]
    val_balanced_accuracy: Annotated[
        float | None, "validation recall, mean over classes, then over seeds"
    ] = None
    val_macro_f1: Annotated[float | None, "validation F1, mean over classes, then over seeds"] = (
        None
    )
    val_loss: Annotated[float | None, "validation log loss in nats, mean over seeds"] = None
    val_auroc: Annotated[
        float | None, "validation AUROC of a class against the others, mean over classes and seeds"
    ] = None
    seeds: Annotated[tuple[int, ...] | None, "seeds retrained, in the order of the lists"] = None
    num_failed_seeds: Annotated[int | None, "seeds whose retraining came to no end"] = None
    dropped_out: Annotated[
        str | None, "why it was retrained with no further seeds; null if with all of them"
    ] = None
    kept_epochs: Annotated[
        tuple[int, ...] | None, "best epoch on validation, kept, one per seed; null: the last"
    ] = None
    val_accuracy_per_seed: Annotated[tuple[float | None, ...], "one per seed; null if diverged"]
    winner: Annotated[bool, "best val_metric of its run, of those that exceed no limit"]
    exceeds: Annotated[
        str | None, "the limit of the run that it exceeds, so that it cannot win; null if none"
    ] = None
    test_accuracy: Annotated[float | None, "test accuracy, mean over seeds; null if diverged"]
    test_accuracy_low: Annotated[
        float | None, "lower end of the 95 % interval, over other test examples and seeds"
    ] = None
    test_accuracy_high: Annotated[float | None, "upper end of that interval"] = None
    test_metric: Annotated[
        float | None, "what ranks the row: its metric on test, mean over seeds"
    ] = None
    test_metric_low: Annotated[
        float | None, "lower end of its 95 % interval, over other test examples and seeds"
    ] = None
    test_metric_high: Annotated[float | None, "upper end of that interval"] = None
    test_metric_std: Annotated[
        float | None, "its sample standard deviation over seeds (ddof=1)"
    ] = None
    tie_group: Annotated[
        int | None, "rank within the run; rows that share it cannot be told apart (alpha 0.05)"
    ] = None
    selection_gap: Annotated[
        float | None,
        "by how much search_val_metric is better than test_metric: what it promised too much",
    ] = None
    gain_over: Annotated[
        int | None,
        "trial_number of the published (or default) row that gain compares with; of an ensemble, "
        "of the winner, whose best seed on validation it compares with",
    ] = None
    gain: Annotated[
        float | None, "by how much test_metric is better than that row's; above 0 is better"
    ] = None
    gain_low: Annotated[float | None, "lower end of its 95 % interval, paired by example"] = None
    gain_high: Annotated[float | None, "upper end of that interval"] = None
    gain_p_value: Annotated[float | None, "of no gain; not corrected for several rows"] = None
    test_accuracy_std: Annotated[float | None, "sample standard deviation over seeds (ddof=1)"]
    test_accuracy_per_seed: Annotated[tuple[float | None, ...], "one per seed; null if diverged"]
    test_balanced_accuracy: Annotated[
        float | None, "test recall, mean over classes, then over seeds"
    ] = None
    test_macro_f1: Annotated[float | None, "test F1, mean over classes, then over seeds"]
    test_loss: Annotated[float | None, "test cross-entropy in nats (log loss), mean over seeds"]
    test_auroc: Annotated[
        float | None, "test AUROC of a class against the others, mean over classes and seeds"
    ] = None
    num_seeds: Annotated[int, "seeds retrained"]
    num_trials: Annotated[int, "configurations that the run's search tried"]
    train_seconds: Annotated[float, "retraining time of this configuration, summed over seeds"]
    search_seconds: Annotated[float, "wall time of the run's search"]
    search_cpu_seconds: Annotated[float | None, "trials' seconds times CPUs per trial"] = None
    search_gpu_seconds: Annotated[float | None, "trials' seconds times GPUs per trial"] = None
    train_cpu_seconds: Annotated[float | None, "train_seconds times CPUs per trial"] = None
    train_gpu_seconds: Annotated[float | None, "train_seconds times GPUs per trial"] = None
    peak_host_bytes: Annotated[
        int | None, "most memory of a worker, shared data and its trials before included"
    ] = None
    peak_device_bytes: Annotated[int | None, "most GPU memory allocated; null on the CPU"] = None
    multiply_adds: Annotated[
        int | None, "of the network's forward pass of one image; null for estimators"
    ] = None
    features_seconds: Annotated[
        float | None,
        "computing the features of all images, once for all trials, summed over processes; null "
        "without features",
    ] = None
    latency_seconds: Annotated[
        float | None,
        "prediction of one decoded image, its features included, on the device, median",
    ] = None
    throughput: Annotated[
        float | None,
        "images (or their features) per second, predicted in batches of 256 on the device, median",
    ] = None
    device: Annotated[str, "device that trained, such as cpu or the GPU's name"]
    precision: Annotated[str, "number format and memory layout used in training"]
    git_commit: Annotated[str | None, "commit of the code; null outside a repository"]
    git_clean: Annotated[bool | None, "whether the code was as committed"] = None
    hardware: Annotated[str | None, "the driver's CPU, cores and memory, JSON"] = None
    num_exact_duplicates: Annotated[
        int | None, "test images whose pixels are a training image's"
    ] = None
    num_near_duplicates: Annotated[
        int | None, "test images that look like a training image, by perceptual hash: a hint"
    ] = None
    majority_class: Annotated[str | None, "commonest class of the train split"] = None
    majority_class_accuracy: Annotated[
        float | None, "test accuracy of always answering that class: what no model is needed for"
    ] = None
    versions: Annotated[str, "versions of Python and the libraries, JSON"]
    command: Annotated[str, "command line of the run's last session"]
    finished_at: Annotated[datetime, "when the run finished, UTC"]
    ensemble: Annotated[
        str | None,
        "members of an ensemble, JSON: trial_number, seed and weight; null of a configuration",
    ] = None

    @property
    def name(self) -> str:
        """Return `JOB/RUN:TRIAL`, or `JOB/RUN:ensemble`."""
        return f"{self.job}/{self.run_id}:{'ensemble' if self.ensemble else self.trial_number}"

    @property
    def members(self) -> tuple[Member, ...]:
        """Return the members of an ensemble; none of a configuration."""
        return tuple(from_json(Member, stored) for stored in json.loads(self.ensemble or "[]"))

    @property
    def models(self) -> tuple[tuple[int, int], ...]:
        """Return the trial number and the seed of each model whose predictions make the row."""
        members = tuple((member.trial_number, member.seed) for member in self.members)
        return members or tuple((self.trial_number, seed) for seed in self.seeds or ())

    @property
    def compared_by(self) -> Metric:
        """Return the metric of ranks, gains and the selection gap."""
        return compared_by(self.metric)

    @property
    def reached(self) -> float | None:
        """Return that metric on the test split, also of a version that had no `test_metric`."""
        value: float | None = getattr(self, f"test_{self.compared_by.figure}")
        return value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the ends of its interval; `None`: it has none."""
        ends = self.test_metric_low, self.test_metric_high
        if None in ends and self.compared_by.name == "accuracy":  # of an earlier version
            ends = self.test_accuracy_low, self.test_accuracy_high
        low, high = ends
        return None if low is None or high is None else (low, high)

    @property
    def score(self) -> float:
        """Return what rows are sorted by: the higher the better, and lowest where it diverged."""
        return -math.inf if self.reached is None else self.compared_by.score(self.reached)

    @property
    def seconds_of_a_seed(self) -> float:
        """Return what one model took to train, with the features that it is trained on."""
        return self.train_seconds / max(self.num_seeds, 1) + (self.features_seconds or 0.0)

    @property
    def val_score(self) -> float:
        """Return what its search optimised, on validation: the higher the better, and lowest where
        it diverged. An early version recorded the accuracy alone."""
        metric = METRICS.get(self.metric or "")
        if metric and self.val_metric is not None:
            return metric.score(self.val_metric)
        return -math.inf if self.val_accuracy is None else self.val_accuracy

    def __post_init__(self) -> None:
        if self.finished_at.tzinfo is None:
            raise ValueError(f"finished_at is {self.finished_at}, but must have a time zone")
        for column in dataclasses.fields(self):
            value = getattr(self, column.name)
            for number in value if isinstance(value, tuple) else (value,):
                _check_number(column.name, number)


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, float):
        return
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, but must be finite, or None where there is no value")
    is_fraction = any(figure in name for figure in ("accuracy", "macro_f1", "auroc"))
    if is_fraction and not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, but must be a fraction in [0, 1]")
