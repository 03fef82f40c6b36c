"""Compare rows by what their models answer to the same test split, example by example."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainables.datasets.image_data import Integers
from trainables.metrics import METRICS, Metric
from trainables.storage import Storage
from trainables.trials.predictions import DamagedFileError, read_predictions
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.statistics.intervals import compare, interval
from tune_jobs.engine.results.statistics.jackknife import value_examples
from tune_jobs.engine.results.statistics.ranking import tie_groups
from tune_jobs.engine.results.statistics.variance import Correct, Outcomes
from tune_jobs.engine.run_state.folder import retraining_place


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Holds which test examples a configuration answers correctly, seed by seed.

    Attributes:
        indices_N: The test examples' indices into the data set's images.
        correct_SN: Whether seed s answers example n correctly.
        outcomes: What the examples are worth to the metric that rows are compared by.
    """

    indices_N: Integers
    correct_SN: Correct
    outcomes: Outcomes


def read_answers(
    run: Storage, trial_number: int, seeds: Sequence[int], metric: Metric
) -> Answers | None:
    """Read a configuration's answers from a run's place; return `None` where a seed's predictions
    are missing or damaged (`find_damage` names the file), or there is nothing to compare.

    Args:
        metric: One that the test split has.

    Raises:
        OSError: The place cannot be read (`StorageError` from an object store).
    """
    try:
        found = [read_predictions(retraining_place(run, trial_number, seed)) for seed in seeds]
    except DamagedFileError:
        return None
    stored = [predictions for predictions in found if predictions is not None]
    if not stored or len(stored) < len(seeds) or len(stored[0].indices_N) < 2:
        return None
    if any(not np.array_equal(p.indices_N, stored[0].indices_N) for p in stored):
        return None
    return Answers(
        stored[0].indices_N,
        np.stack([predictions.correct_N for predictions in stored]),
        value_examples(metric.name, stored),
    )


def find_damage(run: Storage, row: Row) -> str | None:
    """Name the file of a row's predictions that is damaged, with the reason; `None`: none is.

    Raises:
        OSError: As `read_answers` does.
    """
    for seed in row.seeds or ():
        try:
            read_predictions(retraining_place(run, row.trial_number, seed))
        except DamagedFileError as error:
            return str(error)
    return None


def add_statistics(rows: Sequence[Row], answers: Mapping[int, Answers | None]) -> list[Row]:
    """Return one run's rows with their interval, gain and tie group.

    Args:
        answers: The answers by trial number; rows without any keep null.
    """
    known = {number: found for number, found in answers.items() if found is not None}
    base = best_before(r for r in rows if r.trial_number in known)
    board = list(known.values())
    compared = [
        _with_gain(_with_intervals(row, known[row.trial_number], board), known, base)
        if row.trial_number in known
        else row
        for row in rows
    ]
    return add_tie_groups(compared, [answers.get(row.trial_number) for row in rows])


def best_before(rows: Iterable[Row]) -> int | None:
    """Return the trial number of the published (or default) row that is best on validation: what
    people had before the search. One that dropped out has lost, or fewer seeds to tell by."""

    def rank(row: Row) -> tuple[bool, float, int]:
        score = row.val_accuracy or 0.0  # of a version that knew accuracy alone
        if row.metric is not None and row.val_metric is not None:
            score = METRICS[row.metric].score(row.val_metric)
        return row.dropped_out is None, score, -row.trial_number

    before = [row for row in rows if row.origin != "search"]
    best = max(before, key=rank, default=None)
    return None if best is None else best.trial_number


def add_tie_groups(rows: Sequence[Row], answers: Sequence[Answers | None]) -> list[Row]:
    """Rank rows by the metric that compares them; those that cannot be told apart share a rank.

    Args:
        rows: Rows that one metric compares.
        answers: The answers of each row; rows without any have no rank.
    """
    found = [(place, given.outcomes) for place, given in enumerate(answers) if given is not None]
    found.sort(key=lambda pair: -rows[pair[0]].compared_by.score(pair[1].mean))
    groups = tie_groups([outcomes for _, outcomes in found])
    by_place = {place: group for (place, _), group in zip(found, groups, strict=True)}
    return [
        dataclasses.replace(row, tie_group=by_place.get(place)) for place, row in enumerate(rows)
    ]


def _with_intervals(row: Row, answers: Answers, board: Sequence[Answers]) -> Row:
    accuracy = interval(
        Outcomes.of_answers(answers.correct_SN),
        board=[Outcomes.of_answers(others.correct_SN) for others in board],
    )
    metric = interval(answers.outcomes, board=[others.outcomes for others in board])
    return dataclasses.replace(
        row,
        test_accuracy_low=accuracy.low,
        test_accuracy_high=accuracy.high,
        test_metric_low=metric.low,
        test_metric_high=metric.high,
    )


def _with_gain(row: Row, known: Mapping[int, Answers], base: int | None) -> Row:
    if base is None or base == row.trial_number:
        return row
    outcomes, others = known[row.trial_number].outcomes, known[base].outcomes
    is_maximised = row.compared_by.direction == "maximize"
    found = compare(outcomes, others) if is_maximised else compare(others, outcomes)
    return dataclasses.replace(
        row,
        gain_over=base,
        gain=found.difference.value,
        gain_low=found.difference.low,
        gain_high=found.difference.high,
        gain_p_value=found.p_value,
    )
