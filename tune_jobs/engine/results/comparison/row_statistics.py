"""Compare rows by what their models answer to the same test split, example by example."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainables.datasets.image_data import Integers
from trainables.storage import Storage
from trainables.trials.predictions import DamagedFileError, read_predictions
from tune_jobs.engine.results.ensemble import average
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.statistics.intervals import compare, interval
from tune_jobs.engine.results.statistics.jackknife import value_examples
from tune_jobs.engine.results.statistics.ranking import tie_groups
from tune_jobs.engine.results.statistics.variance import Correct, Outcomes
from tune_jobs.engine.run_state.folder import retraining_place
from tune_jobs.engine.stages.candidates import REFERENCES


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Holds which test examples a row's models answer correctly, seed by seed; an ensemble answers
    once.

    Attributes:
        indices_N: The test examples' indices into the data set's images.
        correct_SN: Whether seed s answers example n correctly.
        outcomes: What the examples are worth to the metric that rows are compared by.
    """

    indices_N: Integers
    correct_SN: Correct
    outcomes: Outcomes

    def of_seed(self, position: int) -> "Answers":
        """Return the answers of one seed's model alone."""
        chosen = slice(position, position + 1)
        values_SN = self.outcomes.values_SN[chosen]
        return Answers(
            self.indices_N,
            self.correct_SN[chosen],
            dataclasses.replace(self.outcomes, values_SN=values_SN),
        )


def read_answers(run: Storage, row: Row) -> Answers | None:
    """Read a row's answers from its run's place; return `None` where a model's predictions are
    missing or damaged (`find_damage` names the file), or there is nothing to compare.

    Raises:
        OSError: The place cannot be read (`StorageError` from an object store).
    """
    try:
        found = [read_predictions(retraining_place(run, *model)) for model in row.models]
    except DamagedFileError:
        return None
    stored = [predictions for predictions in found if predictions is not None]
    if not stored or len(stored) < len(found) or len(stored[0].indices_N) < 2:
        return None
    if any(not np.array_equal(p.indices_N, stored[0].indices_N) for p in stored):
        return None
    if row.members:
        stored = [average(stored, [member.weight for member in row.members])]
    return Answers(
        stored[0].indices_N,
        np.stack([predictions.correct_N for predictions in stored]),
        value_examples(row.compared_by.name, stored),
    )


def find_damage(run: Storage, row: Row) -> str | None:
    """Name the file of a row's predictions that is damaged, with the reason; `None`: none is.

    Raises:
        OSError: As `read_answers` does.
    """
    for model in row.models:
        try:
            read_predictions(retraining_place(run, *model))
        except DamagedFileError as error:
            return str(error)
    return None


def add_statistics(
    rows: Sequence[Row], answers: Mapping[int, Answers | None], best_seed: int = 0
) -> list[Row]:
    """Return one run's rows with their interval, gain and tie group.

    A configuration's interval is over other examples and seeds, and its gain over the best
    published (or default) row. An ensemble is made of models as they are: its interval is over
    other examples alone, and its gain over one model, the winner's best seed.

    Args:
        answers: The answers by trial number; rows without any keep null.
        best_seed: The position of the winner's best seed on validation.
    """
    known = {number: found for number, found in answers.items() if found is not None}
    before = best_before(r for r in rows if r.trial_number in known)
    board = [known[r.trial_number] for r in rows if r.trial_number in known and not r.ensemble]
    winner = next((r.trial_number for r in rows if r.winner and r.trial_number in known), None)
    compared = []
    for row in rows:
        own = known.get(row.trial_number)
        if own and row.ensemble:
            row = _with_intervals(row, own, board=())
            if winner is not None:
                row = _with_gain(row, own, winner, known[winner].of_seed(best_seed))
        elif own:
            row = _with_intervals(row, own, board)
            if before not in (None, row.trial_number):
                row = _with_gain(row, own, before, known[before])
        compared.append(row)
    return add_tie_groups(compared, [answers.get(row.trial_number) for row in rows])


def best_before(rows: Iterable[Row]) -> int | None:
    """Return the trial number of the published (or default) row that is best on validation: what
    people had before the search. One that dropped out has lost, or fewer seeds to tell by."""

    def rank(row: Row) -> tuple[bool, float, int]:
        return row.dropped_out is None, row.val_score, -row.trial_number

    before = [row for row in rows if row.origin in REFERENCES]
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


def _with_gain(row: Row, own: Answers, base: int, of_base: Answers) -> Row:
    outcomes, others = own.outcomes, of_base.outcomes
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
