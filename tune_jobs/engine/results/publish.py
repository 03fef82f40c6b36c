"""Publish a finished run: export its models, write the leaderboard and the report."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from optuna.trial import TrialState

from trainables.datasets import ImageData
from trainables.metrics import METRICS, Metric
from trainables.storage import Storage, files_for
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.study_storage import dashboard_storage, read_studies
from tune_jobs.engine.results.analysis.architectures import find_not_tried
from tune_jobs.engine.results.build_rows import build_rows
from tune_jobs.engine.results.kept import keep_comparisons
from tune_jobs.engine.results.leaderboard import read_run, sort_rows, write_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import (
    RunFolder,
    open_place,
    retraining_name,
    run_folder,
    storage_of,
)
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.candidates import (
    Retrained,
    best_seed,
    choose_candidates,
    choose_winner,
    find_skipped,
    pair_name,
    read_results,
)
from tune_jobs.engine.stages.retrain import NOT_AFFORDED
from tune_jobs.engine.stages.steps import Stages


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """Names what a run leaves behind, by path or URI.

    Attributes:
        study: The journal or the database that optuna-dashboard opens; `None`: a journal in an
            object store, which it cannot.
        model: The winner's model; `None` where no configuration ended on every seed, or the files
            have been removed.
        ensemble: The ensemble's model; `None` where there is none, or files have been removed.
        failures: How many trials of the search failed, and why, in words; `None`: none did.
        learned: What the search learned, a line by its label: where proposals came from, which
            parameters mattered, epochs at chance, what more would bring.
        dropped: Which of the best configurations were not retrained with every seed, and why, in
            words; `None`: all were.
        time_budget: What was taken of it, and what it left no time for, in words; `None`: there is
            none.
        fronts: Which rows are on the front of the metric against a cost, in words, by that cost.
    """

    storage: str
    folder: str
    study: str | None
    leaderboard: str
    rows: list[Row]
    model: str | None
    ensemble: str | None = None
    report: str | None = None
    failures: str | None = None
    learned: Mapping[str, str] = field(default_factory=dict)
    dropped: str | None = None
    time_budget: str | None = None
    fronts: Mapping[str, str] = field(default_factory=dict)


def publish(
    info: RunInfo,
    stages: Stages,
    folder: RunFolder,
    data: ImageData,
    storage: Storage,
    show: Callable[[Sequence[Row]], None] | None = None,
) -> RunResult:
    """Export the winner's best seed and the ensemble, write the run's part of the leaderboard and
    its report.

    Args:
        show: Called with the rows as soon as they are written.

    Raises:
        RunError: No retraining came to its end, so there is nothing to rank.
    """
    search, retrain = stages.search.record, stages.retraining.record
    results = stages.retraining.results()
    if not any(result.metrics for result in results):
        ends = f"{search.group_ends()}\n{retrain.group_ends()}"
        raise RunError(f"no configuration could be trained to its full budget:\n{ends}")
    winner = choose_winner(results, search.metric, info.options.model_limits)
    model = export(winner, search.metric, folder) if winner else None
    earlier = read_run(storage, info.job, info.run_id)
    rows = build_rows(info, search, retrain, results, folder, earlier)
    rows = sort_rows(keep_comparisons(rows, earlier, folder.place))
    joined = next((row for row in rows if row.ensemble), None)
    ensemble = export_ensemble(joined, folder) if joined else None
    not_tried = find_not_tried(search, retrain, {row.architecture for row in rows})
    info = replace(info, not_tried={**info.left_out, **not_tried})
    folder.write_info(info)
    if cut_short := stages.retraining.cut_short:
        info = info.noting(f"the time budget is over: {cut_short}")
    part = write_rows(rows, storage)
    if show:
        show(rows)
    # These import scikit-learn and matplotlib, which take seconds.
    from tune_jobs.engine.results.analysis.analysis import analyse
    from tune_jobs.engine.results.report import write_report
    from tune_jobs.engine.results.report.answer import describe_fronts

    analysis = analyse(info, search, results, data.num_validated)
    report = write_report(info, search, retrain, results, rows, analysis, data, folder)
    return RunResult(
        storage=storage.uri,
        folder=folder.place.uri,
        study=dashboard_storage(info.study, folder),
        leaderboard=part,
        rows=rows,
        model=model,
        ensemble=ensemble,
        report=report,
        failures=describe_failures(search),
        learned=analysis.describe(),
        dropped=describe_dropped(rows, search, retrain, info.options.retrain_top),
        time_budget=describe_time(stages),
        fronts=describe_fronts(rows),
    )


def describe_time(stages: Stages) -> str | None:
    """Say what the session has taken of its time budget; `None`: it has none."""
    budget = stages.search.plan.budget
    if budget.seconds is None:
        return None
    taken = f"{budget.clock() - budget.began:,.0f} s of {budget.seconds:,.0f} s"
    cut_short = stages.retraining.cut_short
    return f"{taken}; {cut_short}" if cut_short else taken


def describe_failures(search: Record) -> str | None:
    """Count a search's failed trials, and give the first one's cause; `None`: none failed.

    For instance: `3 of 16 configurations; the first, trial 4: ValueError: the kernel is too large`
    """
    failed = search.trials(TrialState.FAIL)
    if not failed:
        return None
    first = failed[0]
    return (
        f"{len(failed)} of {len(search.trials())} configurations; the first, trial {first.number}: "
        f"{first.end_reason or 'unknown'}"
    )


def describe_dropped(rows: Sequence[Row], search: Record, retrain: Record, top: int) -> str | None:
    """Say which of the `top` best trials were not retrained with every seed, and why; `None`: all
    were.

    For instance: `trial 4 lost to trial 7: ...; trials 5, 9: not afforded, ...`
    """
    reasons: dict[str, list[int]] = {}
    for row in rows:
        if row.dropped_out:
            reasons.setdefault(row.dropped_out, []).append(row.trial_number)
    retrained = {row.trial_number for row in rows}
    skipped = find_skipped(retrain)
    for trial in search.best(top):
        if trial.number not in retrained:
            reason = skipped.get(trial.number, NOT_AFFORDED)
            reasons.setdefault(reason, []).append(trial.number)
    told = [
        f"{'trial' if len(numbers) == 1 else 'trials'} {', '.join(map(str, numbers))} {reason}"
        for reason, numbers in reasons.items()
    ]
    return "; ".join(told) or None


def rebuild(run: str | Path) -> str:
    """Write a run's part of the leaderboard again, from its folder `<storage>/runs/<job>/<run id>`;
    return the part.

    Raises:
        RequestError: It is no run's folder, or nothing of it has been retrained.
    """
    with run_folder(open_place(run)) as folder:
        info = folder.read_info()
        if info is None or info.runtime is None:
            raise RequestError(f"{run}: not the folder of a run (runs/JOB/RUN) that has begun")
        folder.fetch()
        metric = METRICS[info.metric]
        with read_studies(folder, info) as studies:
            search, retrain = (
                Record(study, pair_name, metric, published_before=info.published)
                for study in studies
            )
            results = read_retrained(search, retrain, info.options)
            if not any(result.metrics for result in results):
                raise RequestError(f"{run}: nothing of that run has been retrained")
            storage = storage_of(folder.place)
            earlier = read_run(storage, info.job, info.run_id)
            rows = build_rows(info, search, retrain, results, folder, earlier)
        rows = keep_comparisons(rows, earlier, folder.place)
        return write_rows(rows, storage)


def read_retrained(search: Record, retrain: Record, options: Options) -> list[Retrained]:
    """Read what `Retraining.results` gave when the run ended."""
    numbers = {trial.pair[0] for trial in retrain.trials()}
    candidates = choose_candidates(search, numbers)
    return read_results(candidates, retrain, options.retraining_seeds)


def export(winner: Retrained, metric: Metric, folder: RunFolder) -> str | None:
    """Copy the winner's best seed on validation to `models/`; return its `.safetensors`, or `None`
    where the model has been removed from both places, which a warning says."""
    name = winner.names[best_seed(winner, metric)]
    source, models = folder.checkpoints.child(name), folder.place.child("models")
    model = f"{name}.safetensors"
    found = [file for file in source.names() if file.startswith("model.")]
    for file in found:
        models.write(file.replace("model", name, 1), source.read(file))
    if not found and model not in models.names():
        print(
            f"warning: {folder.place.uri}: the winner's model is neither in checkpoints/{name} nor "
            "in models/ (removed?): put a copy back, or train it by a new run",
            file=sys.stderr,
        )
        return None
    return models.child(model).uri


def export_ensemble(row: Row, folder: RunFolder) -> str | None:
    """Join the models of an ensemble's row to `models/ensemble.safetensors`; return it, or `None`
    where some have been removed or damaged and it is not there either, which a warning says."""
    from trainables.trials.exported.ensemble import (  # imports torch: no rebuild does
        ENSEMBLE,
        save_ensemble,
    )
    from trainables.trials.exported.model import WEIGHTS

    models, members = folder.place.child("models"), {}
    with tempfile.TemporaryDirectory(prefix="members-") as scratch:
        for member in row.members:
            name = retraining_name(member.trial_number, member.seed)
            place = folder.checkpoints.child(name)
            Path(scratch, name).mkdir()
            for file in place.names():
                if file.startswith("model."):
                    Path(scratch, name, file).write_bytes(place.read(file))
            members[name] = Path(scratch, name, WEIGHTS), member.weight
        try:
            with files_for(models) as target:
                save_ensemble(target, members)
        except (FileNotFoundError, ValueError) as error:
            if ENSEMBLE in models.names():
                return models.child(ENSEMBLE).uri
            print(
                f"warning: {folder.place.uri}: a model of the ensemble cannot be read from "
                f"checkpoints/: {str(error).replace(f'{scratch}/', '')}: put a copy back, or train "
                "it by a new run",
                file=sys.stderr,
            )
            return None
    return models.child(ENSEMBLE).uri
