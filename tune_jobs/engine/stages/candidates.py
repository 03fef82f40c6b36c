"""Choose what is retrained, and read from the record what became of it."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from optuna.trial import TrialState

from trainables.config import Configuration
from trainables.metrics import EpochMetrics, Metric
from tune_jobs.engine.job import Origin, Published
from tune_jobs.engine.record.record import AnyTrial, Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.run_state.folder import retraining_name
from tune_jobs.engine.search.limits import ModelLimits
from tune_jobs.engine.stages.search import REFERENCES


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


def choose_candidates(search: Record, chosen: Collection[int]) -> list[Candidate]:
    """Return the candidates of these trials, and every published (or default) one, by number."""
    return [
        _candidate(trial, trial.config)
        for trial in search.trials()
        if trial.config and (trial.number in chosen or trial.origin in REFERENCES)
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
    candidates: Sequence[Candidate], record: Record, seeds: Sequence[int], epochs: int
) -> list[Retrained]:
    """Read from the record of the retraining what each candidate's seeds reached."""
    ended = {trial.pair: trial for trial in record.trials(TrialState.COMPLETE)}
    begun = {trial.pair for trial in record.trials() if not trial.is_skipped}
    skipped = {t.pair[0]: t.end_reason for t in record.trials(TrialState.PRUNED) if t.is_skipped}
    results = []
    for candidate in candidates:
        number = candidate.trial_number
        trials = {seed: ended[number, seed] for seed in seeds if (number, seed) in ended}
        due = [seed for seed in seeds if number not in skipped or (number, seed) in begun]
        results.append(
            Retrained(
                candidate=candidate,
                seeds=tuple(trials),
                metrics=tuple(trial.epochs[epochs] for trial in trials.values()),
                names=tuple(retraining_name(number, seed) for seed in trials),
                seconds=tuple(trial.seconds for trial in trials.values()),
                all_seeds_ended=len(trials) == len(seeds),
                num_failed=len(due) - len(trials),
                dropped_out=skipped.get(number),
            )
        )
    return results


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
