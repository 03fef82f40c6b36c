"""From a finished run to what its user takes away: the winner's model and the leaderboard."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

from trainables.config import complete_config
from tune_jobs.engine.errors import RunError
from tune_jobs.engine.results.leaderboard import Row, write_rows
from tune_jobs.engine.retrain import Retrained, best_seed, choose_winner
from tune_jobs.engine.run_folder import RunFolder
from tune_jobs.engine.steps import Steps


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """What a run leaves behind; `model` is `None` if no configuration ended on every seed."""

    folder: Path
    leaderboard: Path
    rows: list[Row]
    model: Path | None


def publish(steps: Steps, folder: RunFolder, storage: Path) -> RunResult:
    """Export the winner's best seed and write the run's part of the leaderboard.

    Raises:
        RunError: No retraining came to its end, so there is nothing to rank.
    """
    results = steps.retraining.results()
    if not any(result.figures for result in results):
        ends = f"{steps.search.record.group_ends()}\n{steps.retraining.record.group_ends()}"
        raise RunError(f"no configuration could be trained to its full budget:\n{ends}")
    winner = choose_winner(results)
    model = export(winner, folder) if winner else None
    rows = [build_row(steps, result, winner=result is winner) for result in results]
    part = write_rows(rows, storage)
    return RunResult(folder=folder.path, leaderboard=part, rows=rows, model=model)


def export(winner: Retrained, folder: RunFolder) -> Path:
    """Copy the winner's best seed on validation to `models/`; returns its `.safetensors`."""
    source = folder.checkpoints / winner.names[best_seed(winner)]
    folder.models.mkdir(exist_ok=True)
    target = folder.models / f"{winner.names[best_seed(winner)]}.safetensors"
    for file in source.glob("model.*"):
        shutil.copyfile(file, target.with_name(file.name.replace("model", target.stem, 1)))
    return target


def build_row(steps: Steps, result: Retrained, *, winner: bool) -> Row:
    """One configuration's row: its own figures over seeds, the run's cost and provenance."""
    facts, search = steps.facts, steps.search.record
    flat = result.candidate.config
    config = complete_config(facts["default_configs"][flat["architecture"]], flat)
    figures = result.figures
    published = steps.published(result.candidate)
    test_accuracies = tuple(f["test_accuracy"] for f in figures)
    return Row(
        run_id=facts["run_id"],
        job=facts["job"],
        dataset=facts["dataset"],
        dataset_fingerprint=facts["dataset_fingerprint"],
        split_fingerprint=facts["split_fingerprint"],
        architecture=flat["architecture"],
        features=json.dumps(facts["features"]) if facts["features"] else None,
        weights=facts["weights"],
        origin=result.candidate.origin,
        system=published.name if published else None,
        reported_accuracy=published.accuracy if published else None,
        reported_metric=published.metric if published else None,
        assumed=json.dumps(published.assumed) if published else None,
        trial_number=result.candidate.trial_number,
        lr=config.get("lr"),
        l2=config.get("l2"),
        batch_size=config.get("batch_size"),
        dropout=config.get("dropout"),
        optimizer=config.get("optimizer"),
        schedule=config.get("schedule"),
        epochs=facts["epochs"],
        config=json.dumps(config, sort_keys=True),
        num_parameters=figures[0].get("num_parameters") if figures else None,
        search_val_accuracy=result.candidate.search_val_accuracy,
        val_accuracy=result.val_accuracy,
        val_accuracy_per_seed=tuple(f["val_accuracy"] for f in figures),
        winner=winner,
        test_accuracy=_over_seeds(fmean, test_accuracies),
        test_accuracy_std=_over_seeds(stdev, test_accuracies, at_least=2),
        test_accuracy_per_seed=test_accuracies,
        test_macro_f1=_over_seeds(fmean, [f["test_macro_f1"] for f in figures]),
        test_loss=_over_seeds(fmean, [f["test_loss"] for f in figures]),
        num_seeds=len(figures),
        num_trials=len(search.trials()),
        train_seconds=result.train_seconds,
        search_seconds=search.seconds,
        device=steps.runtime.device_name,
        precision=steps.runtime.describe(),
        git_commit=facts["git_commit"],
        versions=json.dumps(facts["versions"]),
        command=facts["command"],
        finished_at=datetime.now(UTC),
    )


def _over_seeds(
    statistic: Callable[[Sequence[float]], float], values: Sequence[float], at_least: int = 1
) -> float | None:
    return statistic(values) if len(values) >= at_least else None
