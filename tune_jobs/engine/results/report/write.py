"""Writes a run's report page and the same pictures for TensorBoard."""

from collections.abc import Sequence

from trainables.datasets import ImageData
from trainables.progress import progress_bar
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.analysis.analysis import SearchAnalysis
from tune_jobs.engine.results.comparison.boards import sort_board
from tune_jobs.engine.results.comparison.row_statistics import best_before
from tune_jobs.engine.results.report.finding_charts import draw_finding
from tune_jobs.engine.results.report.findings import find
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
    by_number = {result.candidate.trial_number: result for result in results}
    shown = _choose(rows)
    configurations = []
    with progress_bar("Drawing the report", 2 * len(shown) + 2) as advance:
        for title, row in shown:
            of_row = by_number[row.trial_number]
            if finding := find(of_row, row, title, data.class_names, retrain, folder):
                configurations.append(draw_finding(finding))
            advance(1)
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
        advance(1)
        for drawn in configurations:
            target = folder.tensorboard / drawn.finding.title.replace(" ", "-")
            write_pictures(drawn, data, target)
            write_projector(drawn.finding, data, target)
            advance(1)
        write_search(charts, folder.tensorboard / "search")
    return folder.place.child(PAGE).uri


def _choose(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Return what is shown, with its title: the winner, and the best published (or default) row
    where that is another."""
    before = best_before(rows)
    return [("winner", row) for row in rows if row.winner] + [
        (f"{row.origin} {row.system or ''}".strip(), row)
        for row in rows
        if row.trial_number == before and not row.winner
    ]
