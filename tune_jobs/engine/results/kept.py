"""Keep what an earlier part has computed of rows whose predictions have been removed since."""

import dataclasses
import sys
from collections.abc import Collection, Sequence

from tune_jobs.engine.results.row import Row

OF_A_ROW = (
    *("test_accuracy_low", "test_accuracy_high"),
    *("gain_over", "gain", "gain_low", "gain_high", "gain_p_value"),
)
"""The columns that a row and the one that it gains over decide; `tie_group` takes all rows."""


def keep_comparisons(rows: Sequence[Row], earlier: Sequence[Row]) -> list[Row]:
    """Return `rows` with the intervals, gains and ranks of the run's earlier part, where
    predictions are gone and the results are still the same; a warning says what became of them."""
    gone = [
        r.trial_number for r in rows if r.test_accuracy_low is None and r.test_accuracy is not None
    ]
    before = {row.trial_number: row for row in earlier}
    same = {
        row.trial_number
        for row in rows
        if (was := before.get(row.trial_number)) and _results(row) == _results(was)
    }
    if not gone:
        return list(rows)
    has_all = same == before.keys() == {row.trial_number for row in rows}
    kept = [
        _keep(row, before[row.trial_number], same, with_rank=has_all)
        if row.trial_number in same
        else row
        for row in rows
    ]
    lost = [r.trial_number for r in kept if r.trial_number in gone and r.test_accuracy_low is None]
    _warn(rows[0], gone, lost, are_ranked=has_all and not lost)
    return kept


def _results(row: Row) -> object:
    return row.seeds, row.test_accuracy_per_seed


def _keep(row: Row, was: Row, same: Collection[int], *, with_rank: bool) -> Row:
    is_comparable = was.gain_over is None or was.gain_over in same
    names = OF_A_ROW if is_comparable else OF_A_ROW[:2]
    if was.test_accuracy_low is not None:
        row = dataclasses.replace(row, **{name: getattr(was, name) for name in names})
    return dataclasses.replace(row, tie_group=was.tie_group) if with_rank else row


def _warn(run: Row, gone: Sequence[int], lost: Sequence[int], *, are_ranked: bool) -> None:
    numbers = ", ".join(map(str, gone))
    became = (
        "no interval is left of them"
        if set(lost) == set(gone)
        else "their intervals and gains are those that were computed before"
    )
    ranks = "and the ranks too" if are_ranked else "and they have no rank"
    print(
        f"warning: {run.job}/{run.run_id}: the predictions of trials {numbers} are not in the "
        f"run's checkpoints/ (removed?): {became}, {ranks}",
        file=sys.stderr,
    )
