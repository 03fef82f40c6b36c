"""Keep what an earlier part has computed of rows whose predictions have been removed since."""

import dataclasses
import sys
from collections.abc import Collection, Mapping, Sequence

from trainables.storage import Storage
from tune_jobs.engine.results.comparison.row_statistics import find_damage
from tune_jobs.engine.results.row import Row

INTERVALS = ("test_accuracy_low", "test_accuracy_high", "test_metric_low", "test_metric_high")
OF_A_ROW = (
    *INTERVALS,
    *("gain_over", "gain", "gain_low", "gain_high", "gain_p_value"),
)
"""The columns that a row and the one that it gains over decide; `tie_group` takes all rows."""


def keep_comparisons(rows: Sequence[Row], earlier: Sequence[Row], run: Storage) -> list[Row]:
    """Return `rows` with the intervals, gains and ranks of the run's earlier part, where
    predictions are gone or damaged and the results are still the same; one warning says what became
    of them.

    Args:
        run: The run's place, in which the predictions were.
    """
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
    damage = {r.trial_number: find_damage(run, r) for r in rows if r.trial_number in gone}
    _warn(rows[0], damage, lost, are_ranked=has_all and not lost)
    return kept


def _results(row: Row) -> object:
    return row.seeds, row.test_accuracy_per_seed


def _keep(row: Row, was: Row, same: Collection[int], *, with_rank: bool) -> Row:
    is_comparable = was.gain_over is None or was.gain_over in same
    names = OF_A_ROW if is_comparable else INTERVALS
    if was.test_accuracy_low is not None:
        row = dataclasses.replace(row, **{name: getattr(was, name) for name in names})
    return dataclasses.replace(row, tie_group=was.tie_group) if with_rank else row


def _warn(
    run: Row, gone: Mapping[int, str | None], lost: Sequence[int], *, are_ranked: bool
) -> None:
    """Warn of predictions that are missing, or damaged where a reason is given, by trial number."""
    named = [reason for reason in gone.values() if reason]
    missing = ", ".join(str(number) for number, reason in gone.items() if not reason)
    if missing:
        named.append(f"those of trials {missing} are not in the run's checkpoints/ (removed?)")
    became = (
        "no interval is left of them"
        if set(lost) == set(gone)
        else "their intervals and gains are those that were computed before"
    )
    ranks = "and the ranks too" if are_ranked else "and they have no rank"
    print(
        f"warning: {run.job}/{run.run_id}: predictions cannot be read: {'; '.join(named)}: "
        f"{became}, {ranks}",
        file=sys.stderr,
    )
