"""Sum up what a search learned: parameters, sources, epochs at chance, what more would bring."""

from collections.abc import Sequence
from dataclasses import dataclass

from tune_jobs.engine.record.record import Record
from tune_jobs.engine.results.analysis.architectures import describe_architectures
from tune_jobs.engine.results.analysis.chance import (
    Chance,
    EpochsAtChance,
    count_epochs_at_chance,
)
from tune_jobs.engine.results.analysis.importance import (
    describe_importances,
    rank_parameters,
    rare_parameters,
)
from tune_jobs.engine.results.analysis.outlook import (
    Outlook,
    find_outlook,
    standard_error,
)
from tune_jobs.engine.results.analysis.sources import (
    NOT_RECORDED,
    Reference,
    SourceFigures,
    describe_proposals,
    find_reference,
    tabulate_sources,
)
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.history import ranked
from tune_jobs.engine.stages.candidates import REFERENCES, Retrained

TOO_FEW = "too few trials reached the full budget to tell"

NOISE_ERRORS = 2.0
"""A search's gain over the reference within so many standard errors may be noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchAnalysis:
    """Holds what a search learned, all of it from its record.

    Attributes:
        importances: The share of each parameter; empty: that cannot be told.
        num_ranked: The number of trials that ended with a score.
        num_rare: The number of parameters that too few of them had, such as those of an
            architecture that was hardly tried.
        first_rung: The first epoch at which early stopping looks at a trial.
        architectures: What became of each architecture; empty: there is no choice of them.
        reference: What proposals are compared with; `None`: none was trained to its end.
        at_chance: `None`: an early version did not record what a guess reaches.
        outlook: `None`: too few full-budget trials to tell.
        within_noise: Whether the best proposal is no better than the reference, beyond noise;
            `None`: that is not known.
    """

    importances: dict[str, float]
    num_ranked: int
    num_rare: int
    sources: list[SourceFigures]
    first_rung: int
    architectures: str
    reference: Reference | None
    at_chance: EpochsAtChance | None
    outlook: Outlook | None
    within_noise: bool | None

    def describe(self) -> dict[str, str]:
        """Return what the end of a run says of the search, a line by its label."""
        told = {
            "proposals": describe_proposals(self.sources),
            "architecture": self.architectures,
            "mattered": describe_importances(self.importances, self.num_ranked, self.num_rare),
            "at chance": self.at_chance.describe() if self.at_chance else NOT_RECORDED,
            "outlook": self._outlook(),
        }
        return {label: text for label, text in told.items() if text}

    def _outlook(self) -> str:
        told = self.outlook.describe() if self.outlook else TOO_FEW
        if self.within_noise:
            return f"nothing was found above the noise of validation so far; {told}"
        return told


def analyse(
    info: RunInfo, search: Record, results: Sequence[Retrained], num_validation: int
) -> SearchAnalysis:
    """Work out what a search learned.

    Args:
        results: Of the retraining, which has the reference.
        num_validation: The number of validation images, which decides how exact an accuracy is.
    """
    reference = find_reference(results, search.metric)
    first_rung = info.options.rung_settings.grace_period
    noise = _noise(search, num_validation)
    chance = Chance.of_run(info)
    return SearchAnalysis(
        importances=rank_parameters(search.study),
        num_ranked=len(ranked(search.study)),
        num_rare=len(rare_parameters(search.study)),
        sources=tabulate_sources(search, reference, first_rung),
        first_rung=first_rung,
        architectures=describe_architectures(search, info.not_tried),
        reference=reference,
        at_chance=count_epochs_at_chance(search, chance) if chance else None,
        outlook=find_outlook(search, noise),
        within_noise=_is_within_noise(search, reference, noise),
    )


def _noise(search: Record, num_validation: int) -> float:
    """Return the standard error of the best accuracy on validation; 0 for another metric."""
    best = search.best(1)
    if search.metric.name != "accuracy" or not best:
        return 0.0
    return standard_error(best[0].value or 0.0, num_validation)


def _is_within_noise(search: Record, reference: Reference | None, noise: float) -> bool | None:
    """Return whether the best proposal beats the reference by less than noise may."""
    if reference is None or not noise:
        return None
    score = search.metric.score
    found = [
        score(trial.value)
        for trial in search.trials()
        if trial.value is not None and trial.origin not in REFERENCES
    ]
    return not found or max(found) - score(reference.value) < NOISE_ERRORS * noise
