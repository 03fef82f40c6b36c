"""Build a run's rows from its record, its `run.json` and its stored predictions alone."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean, median, stdev
from typing import Any

from optuna.trial import TrialState

from trainables.config import Configuration, complete_config
from trainables.config.features import NAMED, Features, Frozen
from trainables.config.validation import to_json
from trainables.metrics import METRICS, EpochMetrics, HeldOutMetrics, compared_by
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.comparison.row_statistics import add_statistics, read_answers
from tune_jobs.engine.results.ensemble import Model, choose_ensemble, read_models
from tune_jobs.engine.results.row import ENSEMBLE, Row
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.run_state.resources import Resources
from tune_jobs.engine.stages.candidates import Retrained, best_seed, choose_winner


def build_rows(
    info: RunInfo,
    search: Record,
    retrain: Record,
    results: Sequence[Retrained],
    folder: RunFolder,
    earlier: Sequence[Row],
) -> list[Row]:
    """Build one row per retrained configuration, and one of the best ensemble of their models; the
    same record gives the same rows again.

    Args:
        earlier: What the run's part had before: its ensemble is kept where predictions are gone.

    Raises:
        RequestError: The probe has not ended: nothing was trained.
        OSError: The stored predictions cannot be reached (`StorageError` from an object store).
    """
    metric = METRICS[info.metric]
    winner = choose_winner(results, metric, info.options.model_limits)
    run = _of_the_run(info, search, retrain)
    rows = [_build_row(info, result, run, winner=result is winner) for result in results]
    if winner:
        models = read_models(folder.place, results)
        single = {row.trial_number: row for row in rows}
        rows += _build_ensemble(info, models, run, single, earlier)
    answers = {row.trial_number: read_answers(folder.place, row) for row in rows}
    return add_statistics(rows, answers, best_seed(winner, metric) if winner else 0)


def _of_the_run(info: RunInfo, search: Record, retrain: Record) -> dict[str, Any]:
    """Return the columns that all rows of a run share."""
    runtime = info.runtime_of(info.architecture)
    trials = search.trials()
    seconds = sum(trial.seconds for trial in trials)
    ends = [t.frozen.datetime_complete for t in retrain.trials() if t.frozen.datetime_complete]
    return {
        "run_id": info.run_id,
        "job": info.job,
        "dataset": info.dataset,
        "dataset_fingerprint": info.dataset_fingerprint,
        "split_fingerprint": info.split_fingerprint,
        "metric": info.metric,
        "num_folds": info.options.folds,
        "num_trials": sum(t.state != TrialState.WAITING and not t.is_left_out for t in trials),
        "search_seconds": search.seconds,
        "num_workers": info.resources.workers if info.resources else 1,
        "search_cpu_seconds": _cpu_seconds(info.resources, seconds),
        "search_gpu_seconds": _gpu_seconds(info.resources, seconds),
        "device": runtime.device_name,
        "git_commit": info.git_commit,
        "git_clean": info.git_clean,
        "hardware": json.dumps(to_json(info.hardware)) if info.hardware else None,
        "num_exact_duplicates": info.duplicates and info.duplicates.exact_train_test,
        "num_near_duplicates": info.duplicates and info.duplicates.near_train_test,
        "majority_class": info.majority_class and info.majority_class.name,
        "majority_class_accuracy": info.majority_class and info.majority_class.test_accuracy,
        "versions": json.dumps(info.versions),
        "command": info.command,
        "finished_at": max(ends).astimezone(UTC) if ends else datetime.now(UTC),
    }


def _build_row(info: RunInfo, result: Retrained, run: dict[str, Any], *, winner: bool) -> Row:
    candidate, published = result.candidate, result.candidate.published
    defaults = info.default_configs[candidate.config["architecture"]]
    config = complete_config(defaults, candidate.config)
    features = NAMED.get(config.get("features") or "") or info.features
    return Row(
        **run,
        features=json.dumps(to_json(features)) if features else None,
        weights=info.weights if _starts_from_weights(info, config, features) else "scratch",
        architecture=config["architecture"],
        precision=info.runtime_of(config["architecture"]).describe(),
        origin=candidate.origin,
        system=published.name if published else None,
        reported_accuracy=published.accuracy if published else None,
        reported_metric=published.metric if published else None,
        assumed=json.dumps(published.assumed) if published else None,
        trial_number=candidate.trial_number,
        epochs=config["epochs"],
        lr=config.get("lr"),
        l2=config.get("l2"),
        batch_size=config.get("batch_size"),
        dropout=config.get("dropout"),
        optimizer=config.get("optimizer"),
        schedule=config.get("schedule"),
        config=json.dumps(config, sort_keys=True),
        search_val_accuracy=candidate.searched.val_accuracy if candidate.searched else None,
        **_metric_columns(info.metric, result.metrics, candidate.searched),
        **_training_columns(info, result.metrics, result.train_seconds),
        seeds=result.seeds,
        num_failed_seeds=result.num_failed,
        dropped_out=result.dropped_out,
        kept_epochs=_kept_epochs(result.metrics),
        winner=winner,
    )


def _build_ensemble(
    info: RunInfo,
    models: Sequence[Model] | None,
    run: dict[str, Any],
    single: Mapping[int, Row],
    earlier: Sequence[Row],
) -> list[Row]:
    """Build the row of the best ensemble, unless the best model alone is better."""
    if models is None:
        return [row for row in earlier if row.ensemble]
    compared = compared_by(info.metric)
    ensemble = choose_ensemble(models, compared)
    if ensemble is None:
        return []
    metrics = [ensemble.metrics]
    figures = _metric_columns(compared.name, metrics, None)
    if compared.name != info.metric:  # that of a user, which no one epoch of an ensemble has
        figures["val_metric"] = None
    members = [single[member.trial_number] for member in ensemble.members]
    started_from = [member.weights for member in members]
    unset: dict[str, Any] = dict.fromkeys(
        ("lr", "l2", "batch_size", "dropout", "optimizer", "schedule", "search_val_accuracy")
    )
    return [
        Row(
            **run,
            **unset,
            weights=next((w for w in started_from if w != "scratch"), "scratch"),
            architecture="ensemble",
            precision=", ".join(sorted({member.precision for member in members})),
            origin="ensemble",
            trial_number=ENSEMBLE,
            epochs=info.epochs,
            config="{}",
            **figures,
            **_training_columns(info, metrics, ensemble.seconds),
            winner=False,
            ensemble=json.dumps(to_json(ensemble.members)),
        )
    ]


def _starts_from_weights(info: RunInfo, config: Configuration, features: Features | None) -> bool:
    """Return whether a model has part in the run's weights, which of several architectures are
    those of one."""
    return (
        info.backbone is None
        or config["architecture"] == info.backbone
        or isinstance(features, Frozen)
    )


def _kept_epochs(seeds: Sequence[EpochMetrics]) -> tuple[int, ...] | None:
    kept = tuple(seed.kept_epoch for seed in seeds if seed.kept_epoch is not None)
    return kept or None


def _metric_columns(
    name: str, seeds: Sequence[EpochMetrics], searched: EpochMetrics | None
) -> dict[str, Any]:
    """Return every metric's mean over the seeds, and what the one that is optimised adds to it."""
    optimised, compared = METRICS[name], compared_by(name)
    tests = _tests(seeds)
    reached = [value for test in tests if (value := compared.on_test(test)) is not None]
    test_metric = _over_seeds(fmean, reached)
    columns = {
        "search_val_metric": optimised.on_validation(searched) if searched else None,
        "search_val_metric_se": optimised.standard_error(searched) if searched else None,
        "val_metric": _over_seeds(fmean, [optimised.on_validation(seed) for seed in seeds]),
        "test_metric": test_metric,
        "test_metric_std": _over_seeds(stdev, reached, at_least=2),
    }
    if searched and test_metric is not None:
        promised = compared.score(compared.on_validation(searched))
        columns["selection_gap"] = promised - compared.score(test_metric)
    for figure in (known.figure for known in METRICS.values() if known.figure):
        columns[f"val_{figure}"] = _mean([getattr(seed, f"val_{figure}") for seed in seeds])
        columns[f"test_{figure}"] = _mean([getattr(test, figure) for test in tests])
    return columns


def _training_columns(
    info: RunInfo, seeds: Sequence[EpochMetrics], train_seconds: float
) -> dict[str, Any]:
    """Return what each seed reached, and what training and predicting cost."""
    tests = _tests(seeds)
    accuracies = tuple(test.accuracy for test in tests)
    costs = [test.cost for test in tests if test.cost]
    return {
        "num_seeds": len(seeds),
        "val_accuracy_per_seed": tuple(metrics.val_accuracy for metrics in seeds),
        "test_accuracy_per_seed": accuracies,
        "test_accuracy_std": _over_seeds(stdev, accuracies, at_least=2),
        "exceeds": info.options.model_limits.exceeded(seeds),
        "train_seconds": train_seconds,
        "train_cpu_seconds": _cpu_seconds(info.resources, train_seconds),
        "train_gpu_seconds": _gpu_seconds(info.resources, train_seconds),
        "num_parameters": seeds[0].num_parameters if seeds else None,
        "num_micro_batches": _most([metrics.num_micro_batches for metrics in seeds]),
        "peak_host_bytes": _most([cost.peak_host_bytes for cost in costs]),
        "peak_device_bytes": _most([cost.peak_device_bytes for cost in costs]),
        "multiply_adds": _most([cost.multiply_adds for cost in costs]),
        "features_seconds": max(
            (cost.features_seconds for cost in costs if cost.features_seconds is not None),
            default=None,
        ),
        "latency_seconds": _over_seeds(median, [cost.latency_seconds for cost in costs]),
        "throughput": _over_seeds(median, [cost.throughput for cost in costs]),
    }


def _tests(seeds: Sequence[EpochMetrics]) -> list[HeldOutMetrics]:
    return [seed.test for seed in seeds if seed.test]


def _cpu_seconds(resources: Resources | None, trial_seconds: float) -> float | None:
    return trial_seconds * resources.workers * resources.cpus if resources else None


def _gpu_seconds(resources: Resources | None, trial_seconds: float) -> float | None:
    return trial_seconds * resources.workers * resources.gpus if resources else None


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _mean(values: Sequence[float | None]) -> float | None:
    """Average over the seeds; `None` where one of them has no value."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _over_seeds(
    statistic: Callable[[Sequence[float]], float], values: Sequence[float], at_least: int = 1
) -> float | None:
    return statistic(values) if len(values) >= at_least else None
