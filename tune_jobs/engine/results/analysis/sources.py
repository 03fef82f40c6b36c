"""Tell where a search's proposals came from, and how each source did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optuna.trial import TrialState

from trainables.metrics import Metric
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.stages.candidates import REFERENCES, Retrained

NOT_RECORDED = "not recorded"

SOURCES = {
    "published": "from a report",
    "default": "at the recipe",
    "recipe": "at the recipe",
    "fork": "of the forked run",
    "portfolio": "of other leaderboards",
    "centre": "around the recipe",
    "incumbent": "around the best so far",
    "model": "by the model",
    "uniform": "from anywhere",
}
"""Known sources in words, in the order in which they are shown; a sampler may name others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Names the published (or default) configuration that proposals are compared with.

    Attributes:
        value: The metric on validation at the full budget, mean over the retraining seeds.
    """

    trial_number: int
    origin: str
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFigures:
    """Sums up the trials of one source.

    Attributes:
        source: The source in words.
        num_stopped: The number of trials that came no further than the first rung.
        num_full: The number of trials that reached the full budget.
        best: The best metric of these; `None`: there are none.
        num_better: The number of these that are better than the reference; `None`: there is none,
            or the source is what it is taken from.
    """

    source: str
    num_proposals: int
    num_stopped: int
    num_full: int
    best: float | None
    num_better: int | None


def find_reference(results: Iterable[Retrained], metric: Metric) -> Reference | None:
    """Return the best of the retrained published (or default) configurations; `None`: none was
    trained to its end. One that dropped out is not the best as long as there is another."""
    known = [r for r in results if r.candidate.origin in REFERENCES and r.metrics]
    staying = [r for r in known if r.dropped_out is None]
    found = [
        Reference(trial_number=r.candidate.trial_number, origin=r.candidate.origin, value=mean)
        for r in staying or known
        if (mean := r.mean_of(metric.on_validation)) is not None
    ]
    return max(found, key=lambda reference: metric.score(reference.value), default=None)


def tabulate_sources(
    search: Record, reference: Reference | None, first_rung: int
) -> list[SourceFigures]:
    """Sum up each source that has proposed something, in the order of `SOURCES`.

    Args:
        first_rung: The first epoch at which early stopping looks at a trial.
    """
    by_source: dict[str, list[RecordedTrial]] = {source: [] for source in SOURCES}
    for trial in search.trials():
        if trial.state != TrialState.WAITING and not trial.is_left_out:
            by_source.setdefault(_source_of(trial), []).append(trial)
    return [
        _sum_up(SOURCES.get(source, source), trials, search.metric, reference, first_rung)
        for source, trials in by_source.items()
        if trials
    ]


def describe_proposals(figures: Sequence[SourceFigures]) -> str:
    """Write for instance `5 around the recipe (best 0.9826), 2 from anywhere (none to the end)`."""
    return ", ".join(
        f"{of.num_proposals} {of.source} "
        f"({'none to the end' if of.best is None else f'best {of.best:.4f}'})"
        for of in figures
    )


def _source_of(trial: RecordedTrial) -> str:
    if trial.origin in REFERENCES:
        return trial.origin
    # A version that did not record it gave parameters beforehand to a fork's configurations alone.
    return trial.source or ("fork" if trial.was_enqueued else NOT_RECORDED)


def _sum_up(
    source: str,
    trials: Sequence[RecordedTrial],
    metric: Metric,
    reference: Reference | None,
    first_rung: int,
) -> SourceFigures:
    values = [trial.value for trial in trials if trial.value is not None]
    stopped = [
        trial
        for trial in trials
        if trial.state == TrialState.PRUNED and max(trial.epochs, default=0) <= first_rung
    ]
    is_reference = trials[0].origin in REFERENCES
    bar = metric.score(reference.value) if reference and not is_reference else None
    return SourceFigures(
        source=source,
        num_proposals=len(trials),
        num_stopped=len(stopped),
        num_full=len(values),
        best=max(values, key=metric.score, default=None),
        num_better=None if bar is None else sum(metric.score(value) > bar for value in values),
    )
