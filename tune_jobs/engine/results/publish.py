"""Publish a finished run: export its models, write the leaderboard and the report."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from trainables.datasets import ImageData
from trainables.metrics import METRICS
from trainables.storage import Storage
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.study_storage import dashboard_storage, read_studies
from tune_jobs.engine.results.analysis.architectures import find_not_tried
from tune_jobs.engine.results.build_rows import build_rows
from tune_jobs.engine.results.comparison.kept import keep_comparisons
from tune_jobs.engine.results.leaderboard import read_run, sort_rows, write_rows
from tune_jobs.engine.results.models import export_ensemble, export_winner
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.run_result import (
    RunResult,
    describe_dropped,
    describe_failures,
    describe_time,
)
from tune_jobs.engine.run_state.folder import RunFolder, open_place, run_folder, storage_of
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.candidates import (
    Retrained,
    choose_candidates,
    choose_winner,
    pair_name,
    read_results,
)
from tune_jobs.engine.stages.steps import Stages


def publish(
    info: RunInfo,
    stages: Stages,
    folder: RunFolder,
    data: ImageData,
    storage: Storage,
    show: Callable[[Sequence[Row]], None] | None,
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
    model = export_winner(winner, search.metric, folder) if winner else None
    rows = _rank(info, search, retrain, results, folder, storage)
    joined = next((row for row in rows if row.ensemble), None)
    ensemble = export_ensemble(joined, folder) if joined else None
    info = _keep_not_tried(info, stages, rows, folder)
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


def _keep_not_tried(
    info: RunInfo, stages: Stages, rows: Sequence[Row], folder: RunFolder
) -> RunInfo:
    """Write into `run.json` why architectures have no row, and return the information, with a
    remark where time ran out."""
    search, retrain = stages.search.record, stages.retraining.record
    not_tried = find_not_tried(search, retrain, {row.architecture for row in rows})
    info = replace(info, not_tried={**info.left_out, **not_tried})
    folder.write_info(info)
    cut_short = stages.retraining.cut_short
    return info.noting(f"the time budget is over: {cut_short}") if cut_short else info


def _rank(
    info: RunInfo,
    search: Record,
    retrain: Record,
    results: Sequence[Retrained],
    folder: RunFolder,
    storage: Storage,
) -> list[Row]:
    """Build the run's rows, the best first, with what the part has that cannot be made anew."""
    earlier = read_run(storage, info.job, info.run_id)
    rows = build_rows(info, search, retrain, results, folder, earlier)
    return sort_rows(keep_comparisons(rows, earlier, folder.place))


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
            rows = _rank(info, search, retrain, results, folder, storage)
        return write_rows(rows, storage)


def read_retrained(search: Record, retrain: Record, options: Options) -> list[Retrained]:
    """Read what `Retraining.results` gave when the run ended."""
    numbers = {trial.pair[0] for trial in retrain.trials()}
    candidates = choose_candidates(search, numbers)
    return read_results(candidates, retrain, options.retraining_seeds)
