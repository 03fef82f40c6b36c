"""A run's rows, from its record, its `run.json` and its stored predictions alone."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import fmean, median, stdev
from typing import Any

from optuna.trial import FrozenTrial

from trainables.config import Runtime, complete_config
from tune_jobs.engine.results.comparison import add_statistics, read_answers
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run.folder import RunFolder
from tune_jobs.engine.search.record import Record, reports_of
from tune_jobs.engine.stages.retrain import Retrained, choose_winner


def build_rows(
    facts: dict[str, Any],
    search: Record,
    retrain: Record,
    results: Sequence[Retrained],
    folder: RunFolder,
) -> list[Row]:
    """One row per retrained configuration; the same record gives the same rows again."""
    winner = choose_winner(results)
    run = _of_the_run(facts, search, retrain)
    rows = [_build_row(facts, result, run, winner=result is winner) for result in results]
    answers = {
        result.candidate.trial_number: read_answers(
            folder.place, result.candidate.trial_number, result.seeds
        )
        for result in results
    }
    return add_statistics(rows, answers)


def seconds_of(trial: FrozenTrial) -> float:
    """Training time of a trial, over all its epochs."""
    return sum(float(report.get("seconds", 0.0)) for report in reports_of(trial).values())


def _of_the_run(facts: dict[str, Any], search: Record, retrain: Record) -> dict[str, Any]:
    """The columns that all rows of a run share."""
    runtime = Runtime(**facts["runtime"])
    resources = facts.get("resources", {})
    workers = resources.get("workers", 1)
    seconds = sum(map(seconds_of, search.trials()))
    ends = [t.datetime_complete for t in retrain.trials() if t.datetime_complete]
    duplicates = facts.get("duplicates") or {}
    hardware = facts.get("hardware")
    return {
        "run_id": facts["run_id"],
        "job": facts["job"],
        "dataset": facts["dataset"],
        "dataset_fingerprint": facts["dataset_fingerprint"],
        "split_fingerprint": facts["split_fingerprint"],
        "features": json.dumps(facts["features"]) if facts["features"] else None,
        "weights": facts["weights"],
        "epochs": facts["epochs"],
        "num_trials": len(search.trials()),
        "search_seconds": search.seconds,
        "num_workers": workers,
        "search_cpu_seconds": _times(workers * seconds, resources.get("cpus")),
        "search_gpu_seconds": _times(workers * seconds, resources.get("gpus")),
        "device": runtime.device_name,
        "precision": runtime.describe(),
        "git_commit": facts["git_commit"],
        "git_clean": facts.get("git_clean"),
        "hardware": json.dumps(hardware) if hardware else None,
        "num_exact_duplicates": duplicates.get("exact_train_test"),
        "num_near_duplicates": duplicates.get("near_train_test"),
        "versions": json.dumps(facts["versions"]),
        "command": facts["command"],
        "finished_at": max(ends).astimezone(UTC) if ends else datetime.now(UTC),
    }


def _build_row(
    facts: dict[str, Any], result: Retrained, run: dict[str, Any], *, winner: bool
) -> Row:
    candidate, figures = result.candidate, result.figures
    flat = candidate.config
    config = complete_config(facts["default_configs"][flat["architecture"]], flat)
    published = _published(facts, result)
    resources = facts.get("resources", {})
    worker_seconds = run["num_workers"] * result.train_seconds
    test_accuracies = tuple(f["test_accuracy"] for f in figures)
    test_accuracy = _over_seeds(fmean, test_accuracies)
    return Row(
        **run,
        architecture=flat["architecture"],
        origin=candidate.origin,
        system=published.get("name"),
        reported_accuracy=published.get("accuracy"),
        reported_metric=published.get("metric"),
        assumed=json.dumps(published["assumed"]) if published else None,
        trial_number=candidate.trial_number,
        lr=config.get("lr"),
        l2=config.get("l2"),
        batch_size=config.get("batch_size"),
        num_micro_batches=_most(figures, "num_micro_batches"),
        dropout=config.get("dropout"),
        optimizer=config.get("optimizer"),
        schedule=config.get("schedule"),
        config=json.dumps(config, sort_keys=True),
        num_parameters=figures[0].get("num_parameters") if figures else None,
        search_val_accuracy=candidate.search_val_accuracy,
        val_accuracy=result.val_accuracy,
        seeds=result.seeds,
        num_failed_seeds=facts["options"]["retrain_seeds"] - len(result.seeds),
        val_accuracy_per_seed=tuple(f["val_accuracy"] for f in figures),
        winner=winner,
        test_accuracy=test_accuracy,
        selection_gap=None
        if test_accuracy is None or candidate.search_val_accuracy is None
        else candidate.search_val_accuracy - test_accuracy,
        test_accuracy_std=_over_seeds(stdev, test_accuracies, at_least=2),
        test_accuracy_per_seed=test_accuracies,
        test_macro_f1=_over_seeds(fmean, [f["test_macro_f1"] for f in figures]),
        test_loss=_over_seeds(fmean, [f["test_loss"] for f in figures]),
        num_seeds=len(figures),
        train_seconds=result.train_seconds,
        train_cpu_seconds=_times(worker_seconds, resources.get("cpus")),
        train_gpu_seconds=_times(worker_seconds, resources.get("gpus")),
        peak_host_bytes=_most(figures, "peak_host_bytes"),
        peak_device_bytes=_most(figures, "peak_device_bytes"),
        multiply_adds=_most(figures, "multiply_adds"),
        latency_seconds=_over_seeds(median, _known(figures, "latency_seconds")),
        throughput=_over_seeds(median, _known(figures, "throughput")),
    )


def _published(facts: dict[str, Any], result: Retrained) -> dict[str, Any]:
    """What the report says of a published configuration; they are the first trials."""
    if result.candidate.origin != "published":
        return {}
    published: dict[str, Any] = facts["published"][result.candidate.trial_number]
    return published


def _known(figures: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [f[name] for f in figures if name in f]


def _most(figures: Sequence[dict[str, Any]], name: str) -> int | None:
    return max(_known(figures, name), default=None)


def _times(seconds: float, amount: float | None) -> float | None:
    return None if amount is None else seconds * amount


def _over_seeds(
    statistic: Callable[[Sequence[float]], float], values: Sequence[float], at_least: int = 1
) -> float | None:
    return statistic(values) if len(values) >= at_least else None
