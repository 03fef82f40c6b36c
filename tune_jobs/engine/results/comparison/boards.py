"""Put rows on boards, each of which compares rows on the same images, split in the same way."""

import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from trainables.storage import LocalStorage, Storage, is_uri, split_options
from tune_jobs.engine.results.comparison.row_statistics import (
    Answers,
    add_tie_groups,
    find_damage,
    read_answers,
)
from tune_jobs.engine.results.leaderboard import sort_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import open_place, place_of


def split_boards(rows: Iterable[Row], storage: Storage | None) -> list[list[Row]]:
    """Return one list of rows per data set, split and metric that compares them, the best row
    first.

    Several runs share a board where their predictions are at hand: `tie_group` is then the rank
    among the rows of all of them. A run without predictions keeps a board of its own, and a warning
    names it.

    Args:
        storage: The storage that holds the `runs/` of these rows, if there is one.
    """

    def question(row: Row) -> tuple[str, str, str, str]:
        data = row.dataset, row.dataset_fingerprint, row.split_fingerprint
        return *data, row.compared_by.name

    groups = itertools.groupby(sorted(rows, key=question), key=question)
    return [board for _, group in groups for board in _compare_runs(list(group), storage)]


def find_storage(path: str | Path) -> Storage | None:
    """Find the storage that `path` is, or lies in: the folder at or above it that holds `runs/`."""
    if is_uri(path):
        base, options = split_options(str(path))
        return open_place(f"{base.partition('/leaderboards')[0]}{options}")
    path = Path(path).resolve()
    above = (p for p in (path, *path.parents) if (p / "runs").is_dir())
    return next(map(LocalStorage, above), None)


def sort_board(rows: Iterable[Row]) -> list[Row]:
    """Sort rows by the metric that compares them, best first, null last."""
    return sorted(sort_rows(rows), key=lambda row: -row.score)


def pareto_front(costs: Sequence[float | None], scores: Sequence[float]) -> list[bool]:
    """Return for each row whether it is on the Pareto front of score against cost.

    It is where no other row has at least its score at no more cost, and is better in one of the
    two. A score is higher the better; one that is not finite is none.
    """
    points = [
        None if cost is None or not math.isfinite(score) else (cost, score)
        for cost, score in zip(costs, scores, strict=True)
    ]
    known = {point for point in points if point is not None}
    return [
        point is not None
        and not any(o != point and o[0] <= point[0] and o[1] >= point[1] for o in known)
        for point in points
    ]


def _compare_runs(rows: list[Row], storage: Storage | None) -> Iterator[list[Row]]:
    runs = [list(group) for _, group in itertools.groupby(sorted(rows, key=_run), key=_run)]
    if len(runs) == 1:
        yield sort_board(runs[0])
        return
    answers = [[_answers(row, storage) for row in run] for run in runs]
    whole = [place for place, run in enumerate(runs) if _is_whole(run, answers[place])]
    if storage and len(whole) < len(runs):
        _warn([run for place, run in enumerate(runs) if place not in whole], storage)
    together = [given for place in whole for given in answers[place]]
    if len(whole) > 1 and _same_images(together):
        yield sort_board(add_tie_groups([row for place in whole for row in runs[place]], together))
        runs = [run for place, run in enumerate(runs) if place not in whole]
    yield from map(sort_board, runs)


def _run(row: Row) -> tuple[str, str]:
    return row.job, row.run_id


def _warn(lacking: Iterable[Sequence[Row]], storage: Storage) -> None:
    names, damaged = [], []
    for rows in lacking:
        names.append(f"{rows[0].job}/{rows[0].run_id}")
        place = place_of(storage, rows[0].job, rows[0].run_id)
        damaged += [reason for row in rows if (reason := find_damage(place, row))]
    why = "; ".join(damaged) if damaged else "they are not in checkpoints/ (removed?)"
    print(
        f"warning: {', '.join(names)}: predictions of these runs cannot be read: {why}: "
        "each has a table of its own, since it cannot be compared with the others",
        file=sys.stderr,
    )


def _answers(row: Row, storage: Storage | None) -> Answers | None:
    if storage is None or not row.models:
        return None
    return read_answers(place_of(storage, row.job, row.run_id), row)


def _is_whole(run: Sequence[Row], answers: Sequence[Answers | None]) -> bool:
    """Return whether there are predictions of all rows of a run that were tested."""
    return all(
        given is not None or row.reached is None for row, given in zip(run, answers, strict=True)
    )


def _same_images(answers: Iterable[Answers | None]) -> bool:
    found = [given for given in answers if given is not None]
    return all(np.array_equal(given.indices_N, found[0].indices_N) for given in found)
