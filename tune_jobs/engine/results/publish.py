"""From a finished run to what its user takes away: the winner's model and the leaderboard."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from trainables.datasets import ImageData
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.build_rows import build_rows
from tune_jobs.engine.results.leaderboard import write_rows
from tune_jobs.engine.results.report import write_report
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.retrain import (
    Retrained,
    Retraining,
    best_seed,
    choose_candidates,
    choose_winner,
    pair,
    pair_name,
    read_results,
)
from tune_jobs.engine.run_folder import RunFolder
from tune_jobs.engine.search.journal import open_journal
from tune_jobs.engine.search.study import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """What a run leaves behind; `model` is `None` if no configuration ended on every seed."""

    folder: Path
    leaderboard: Path
    rows: list[Row]
    model: Path | None
    report: Path | None = None


def publish(
    facts: dict[str, Any],
    search: Record,
    retraining: Retraining,
    folder: RunFolder,
    data: ImageData,
    storage: Path,
) -> RunResult:
    """Export the winner's best seed, write the run's part of the leaderboard and its report.

    Raises:
        RunError: No retraining came to its end, so there is nothing to rank.
    """
    results = retraining.results()
    if not any(result.figures for result in results):
        ends = f"{search.group_ends()}\n{retraining.record.group_ends()}"
        raise RunError(f"no configuration could be trained to its full budget:\n{ends}")
    winner = choose_winner(results)
    model = export(winner, folder) if winner else None
    rows = build_rows(facts, search, retraining.record, results, folder)
    part = write_rows(rows, storage)
    report = write_report(facts, search, retraining.record, results, rows, data, folder)
    return RunResult(folder=folder.path, leaderboard=part, rows=rows, model=model, report=report)


def rebuild(path: Path) -> Path:
    """Write a run's part of the leaderboard again, from its folder `<storage>/runs/<job>/<run id>`;
    returns the part.

    Raises:
        RequestError: It is no run's folder, or nothing of it has been retrained.
    """
    folder = RunFolder(path.resolve())
    facts = folder.read_facts()
    if facts is None or "runtime" not in facts or not folder.journal.exists():
        raise RequestError(f"{path}: not the folder of a run (runs/JOB/RUN) that has begun")
    search, retrain = read_records(folder, facts)
    results = read_retrained(search, retrain, Options.from_json(facts["options"]))
    if not any(result.figures for result in results):
        raise RequestError(f"{path}: nothing of that run has been retrained")
    rows = build_rows(facts, search, retrain, results, folder)
    return write_rows(rows, folder.path.parents[2])


def read_records(folder: RunFolder, facts: dict[str, Any]) -> tuple[Record, Record]:
    """The records of a run's search and of its retraining, to read."""
    storage = open_journal(folder.journal)
    name = f"{facts['job']}/{facts['run_id']}"
    try:
        search, retrain = (
            optuna.load_study(study_name=study, storage=storage)
            for study in (name, f"{name}/retrain")
        )
    except KeyError as error:
        raise RequestError(f"{folder.journal}: it holds no study {error}") from error
    return Record(search, pair_name, []), Record(retrain, pair_name, [])


def read_retrained(search: Record, retrain: Record, options: Options) -> list[Retrained]:
    """What `Retraining.results` gave when the run ended."""
    numbers = {pair(trial)[0] for trial in retrain.trials()}
    candidates = choose_candidates(search, 0, numbers)
    return read_results(candidates, retrain, options.retraining_seeds, options.epochs)


def export(winner: Retrained, folder: RunFolder) -> Path:
    """Copy the winner's best seed on validation to `models/`; returns its `.safetensors`."""
    source = folder.checkpoints / winner.names[best_seed(winner)]
    folder.models.mkdir(exist_ok=True)
    target = folder.models / f"{winner.names[best_seed(winner)]}.safetensors"
    for file in source.glob("model.*"):
        shutil.copyfile(file, target.with_name(file.name.replace("model", target.stem, 1)))
    return target
