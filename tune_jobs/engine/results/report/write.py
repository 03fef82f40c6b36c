"""Writes a run's report page and the same pictures for TensorBoard."""

from collections.abc import Sequence

from trainables.datasets import ImageData
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.analysis.analysis import SearchAnalysis
from tune_jobs.engine.results.boards import sort_board
from tune_jobs.engine.results.comparison import best_before
from tune_jobs.engine.results.report.finding_charts import draw_finding
from tune_jobs.engine.results.report.findings import Finding, find
from tune_jobs.engine.results.report.page import Report, build_page
from tune_jobs.engine.results.report.projector import write_projector
from tune_jobs.engine.results.report.search_charts import draw_search
from tune_jobs.engine.results.report.tensorboard import write_pictures, write_search
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import RunFolder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.candidates import Retrained

PAGE = "report/index.html"


def write_report(
    info: RunInfo,
    search: Record,
    retrain: Record,
    results: Sequence[Retrained],
    rows: Sequence[Row],
    analysis: SearchAnalysis,
    data: ImageData,
    folder: RunFolder,
) -> str:
    """Write `report/index.html`, and TensorBoard's folders `winner`, `published` (or `default`) and
    `search`; returns the page."""
    findings = _find(results, rows, data.class_names, retrain, folder)
    configurations = [draw_finding(finding) for finding in findings]
    charts = draw_search(search, analysis.importances)
    report = Report(
        info=info,
        rows=sort_board(rows),
        configurations=configurations,
        charts=charts,
        analysis=analysis,
        data=data,
    )
    folder.place.write(PAGE, build_page(report).encode())
    for drawn in configurations:
        target = folder.tensorboard / drawn.finding.title.replace(" ", "-")
        write_pictures(drawn, data, target)
        write_projector(drawn.finding, data, target)
    write_search(charts, folder.tensorboard / "search")
    return folder.place.child(PAGE).uri


def _find(
    results: Sequence[Retrained],
    rows: Sequence[Row],
    class_names: Sequence[str],
    retrain: Record,
    folder: RunFolder,
) -> list[Finding]:
    """The winner, and the best published (or default) row where that is another."""
    by_number = {result.candidate.trial_number: result for result in results}
    chosen = [("winner", row) for row in rows if row.winner]
    before = best_before(rows)
    chosen += [
        (f"{row.origin} {row.system or ''}".strip(), row)
        for row in rows
        if row.trial_number == before and not row.winner
    ]
    found = [
        find(by_number[row.trial_number], row, title, class_names, retrain, folder)
        for title, row in chosen
    ]
    return [finding for finding in found if finding is not None]
