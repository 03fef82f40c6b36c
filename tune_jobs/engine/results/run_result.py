"""What a run leaves behind, and what is said of it when it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optuna.trial import TrialState

from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.stages.candidates import find_skipped
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
