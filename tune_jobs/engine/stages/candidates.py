"""Choose what is retrained, and read from the record what became of it."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from optuna.trial import TrialState

from trainables.config import Configuration
from trainables.metrics import EpochMetrics, Metric
from tune_jobs.engine.job import Origin, Published
from tune_jobs.engine.record.record import AnyTrial, Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.run_state.folder import retraining_name
from tune_jobs.engine.search.limits import ModelLimits

REFERENCES = ("published", "default")
"""Origins of the configurations that are retrained whatever becomes of them in the search."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """Describes a configuration to retrain.

    Attributes:
        trial_number: The number of its trial in the search.
        params: The parameters that the space suggested for it.
        searched: The metrics that the search saw at the full budget; `None`: it did not reach that.
    """

    trial_number: int
    origin: Origin
    published: Published | None
    config: Configuration
    params: Mapping[str, Any]
    searched: EpochMetrics | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrained:
    """Holds a candidate with the last epoch's metrics of each seed that was trained to the end.

    Attributes:
        names: The names of the seeds' trials, and so of their folders.
        seconds: Their training times.
        num_failed: The number of seeds that were to be trained and came to no end.
        all_seeds_ended: Whether it was trained to the end with each seed of the retraining, which
            may have had time for fewer than it was asked for.
        dropped_out: Why it trained no further seeds; `None`: it was to train all of them.
    """

    candidate: Candidate
    seeds: tuple[int, ...]
    metrics: tuple[EpochMetrics, ...]
    names: tuple[str, ...]
    seconds: tuple[float, ...]
    all_seeds_ended: bool
    num_failed: int = 0
    dropped_out: str | None = None

    @property
    def train_seconds(self) -> float:
        """Return the training time over all seeds."""
        return sum(self.seconds)

    def mean_of(self, value: Callable[[EpochMetrics], float]) -> float | None:
        """Average a value over the seeds; `None` where no seed was trained to the end."""
        return fmean(map(value, self.metrics)) if self.metrics else None


class References(NamedTuple):
    """Holds the numbers of the references, those included that have not begun.

    Attributes:
        fixed: Those that train all seeds: the published ones, or the only default.
        defaults: Those of several architectures, of which the best one trains all seeds.
    """

    fixed: set[int]
    defaults: set[int]

    @property
    def all(self) -> set[int]:
        return self.fixed | self.defaults

    def always(self, ranked: Sequence[int]) -> list[int]:
        """Return who trains all seeds, of candidates that are sorted, the best first."""
        leading = [number for number in ranked if number in self.defaults][:1]
        searched = [number for number in ranked if number not in self.all][:1]
        return [*leading, *sorted(self.fixed), *searched]


def find_references(search: Record) -> References:
    """Find the published (or default) configurations that are retrained whatever becomes of them in
    the search."""
    known = [trial for trial in search.trials() if not trial.is_left_out]
    published = {trial.number for trial in known if trial.origin == "published"}
    defaults = {trial.number for trial in known if trial.origin == "default"}
    if len(defaults) > 1:
        return References(published, defaults)
    return References(published | defaults, set())


def choose_candidates(search: Record, chosen: Collection[int]) -> list[Candidate]:
    """Return the candidates of these trials, and every published (or default) one that was begun,
    by number."""
    references = find_references(search).all
    return [
        _candidate(trial, trial.config)
        for trial in search.trials()
        if trial.config and (trial.number in chosen or trial.number in references)
    ]


def _candidate(trial: RecordedTrial, config: Configuration) -> Candidate:
    return Candidate(
        trial_number=trial.number,
        origin=trial.origin,
        published=trial.published,
        config=config,
        params=trial.params,
        searched=trial.last if trial.state == TrialState.COMPLETE else None,
    )


def read_results(
    candidates: Sequence[Candidate], record: Record, seeds: Sequence[int]
) -> list[Retrained]:
    """Read from the record of the retraining what each candidate's seeds reached; one for which
    there was no time at all is left out."""
    ended = {trial.pair: trial for trial in record.trials(TrialState.COMPLETE)}
    begun = {trial.pair for trial in record.trials() if not trial.is_skipped}
    skipped = find_skipped(record)
    rounds = seeds[: record.num_rounds]
    results = []
    for candidate in candidates:
        number = candidate.trial_number
        trials = {seed: ended[number, seed] for seed in seeds if (number, seed) in ended}
        due = [seed for seed in rounds if number not in skipped or (number, seed) in begun]
        due += [seed for seed in trials if seed not in due]
        if not due:
            continue
        results.append(
            Retrained(
                candidate=candidate,
                seeds=tuple(trials),
                metrics=tuple(trial.last for trial in trials.values() if trial.last),
                names=tuple(retraining_name(number, seed) for seed in trials),
                seconds=tuple(trial.seconds for trial in trials.values()),
                all_seeds_ended=trials.keys() >= set(rounds),
                num_failed=len(due) - len(trials),
                dropped_out=skipped.get(number),
            )
        )
    return results


def find_skipped(record: Record) -> dict[int, str]:
    """Return why candidates train no further seeds, by number. One for which there was no time may
    go on in a later session."""
    begun = {trial.pair for trial in record.trials() if not trial.is_skipped}
    skipped = [trial for trial in record.trials(TrialState.PRUNED) if trial.is_skipped]
    return {t.pair[0]: t.end_reason or "" for t in skipped if t.pair not in begun}


def going_on(search: Record, retrained: Record) -> set[str]:
    """Return the names of the retrainings that go on from a trial's end, and have not ended."""
    pairs = {trial.goes_on_with for trial in search.trials()}
    ended = {trial.pair for trial in retrained.trials() if trial.state.is_finished()}
    return {retraining_name(*pair) for pair in pairs - ended if pair}


def choose_winner(
    results: Sequence[Retrained], metric: Metric, limits: ModelLimits
) -> Retrained | None:
    """Return the result of the best mean metric on validation, of those that ended every seed and
    exceed no limit.

    Ties go to the earlier trial, in whatever order the results come: a resume keeps the winner.
    """

    def rank(result: Retrained) -> tuple[float, int]:
        mean = result.mean_of(metric.on_validation)
        score = -math.inf if mean is None else metric.score(mean)
        return score, -result.candidate.trial_number

    able = [
        result
        for result in results
        if result.all_seeds_ended and result.metrics and not limits.exceeded(result.metrics)
    ]
    return max(able, key=rank, default=None)


def best_seed(winner: Retrained, metric: Metric) -> int:
    """Return the position of the seed that is best on validation; ties go to the lower loss."""

    def rank(position: int) -> tuple[float, float]:
        metrics = winner.metrics[position]
        return metric.score(metric.on_validation(metrics)), -metrics.val_loss

    return max(range(len(winner.seeds)), key=rank)


def pair_name(trial: AnyTrial) -> str:
    """Return the name of a trial of the retraining."""
    return retraining_name(trial.user_attrs["trial_number"], trial.user_attrs["seed"])
