"""From a finished run to what its user takes away: the winner's model and the leaderboard."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.datasets import ImageData
from trainables.storage import Storage
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.build_rows import build_rows
from tune_jobs.engine.results.leaderboard import write_rows
from tune_jobs.engine.results.report import write_report
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run.folder import RunFolder, open_place, run_folder, storage_of
from tune_jobs.engine.search.record import Record
from tune_jobs.engine.search.study_storage import dashboard_storage, read_studies
from tune_jobs.engine.stages.retrain import (
    Retrained,
    Retraining,
    best_seed,
    choose_candidates,
    choose_winner,
    pair,
    pair_name,
    read_results,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """What a run leaves behind, by path or URI.

    Attributes:
        study: What optuna-dashboard opens, a journal or a database; `None`: a journal in an object
            store, which it cannot.
        model: `None` where no configuration ended on every seed.
    """

    storage: str
    folder: str
    study: str | None
    leaderboard: str
    rows: list[Row]
    model: str | None
    report: str | None = None


def publish(
    facts: dict[str, Any],
    search: Record,
    retraining: Retraining,
    folder: RunFolder,
    data: ImageData,
    storage: Storage,
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
    return RunResult(
        storage=storage.uri,
        folder=folder.place.uri,
        study=dashboard_storage(facts["study"], folder),
        leaderboard=part,
        rows=rows,
        model=model,
        report=report,
    )


def rebuild(run: str | Path) -> str:
    """Write a run's part of the leaderboard again, from its folder `<storage>/runs/<job>/<run id>`;
    returns the part.

    Raises:
        RequestError: It is no run's folder, or nothing of it has been retrained.
    """
    with run_folder(open_place(run)) as folder:
        facts = folder.read_facts()
        if facts is None or "runtime" not in facts:
            raise RequestError(f"{run}: not the folder of a run (runs/JOB/RUN) that has begun")
        folder.fetch()
        with read_studies(folder, facts) as studies:
            search, retrain = (Record(study, pair_name, []) for study in studies)
            results = read_retrained(search, retrain, Options.from_json(facts["options"]))
            if not any(result.figures for result in results):
                raise RequestError(f"{run}: nothing of that run has been retrained")
            rows = build_rows(facts, search, retrain, results, folder)
        return write_rows(rows, storage_of(folder.place))


def read_retrained(search: Record, retrain: Record, options: Options) -> list[Retrained]:
    """What `Retraining.results` gave when the run ended."""
    numbers = {pair(trial)[0] for trial in retrain.trials()}
    candidates = choose_candidates(search, 0, numbers)
    return read_results(candidates, retrain, options.retraining_seeds, options.epochs)


def export(winner: Retrained, folder: RunFolder) -> str:
    """Copy the winner's best seed on validation to `models/`; returns its `.safetensors`."""
    name = winner.names[best_seed(winner)]
    source, models = folder.checkpoints.child(name), folder.place.child("models")
    for file in source.names():
        if file.startswith("model."):
            models.write(file.replace("model", name, 1), source.read(file))
    return models.child(f"{name}.safetensors").uri
