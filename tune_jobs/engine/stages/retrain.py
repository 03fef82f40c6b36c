"""Retraining: the best configurations and the published ones, over several seeds, on train.

Validation chooses the winner; test is read here, once per retrained model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from tune_jobs.engine.results.row import Origin
from tune_jobs.engine.run.folder import retraining_name
from tune_jobs.engine.search.record import AnyTrial, Record, reports_of
from tune_jobs.engine.stages.search import EXEMPT, Search, has_diverged


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A configuration to retrain, by the number of its trial in the search."""

    trial_number: int
    origin: Origin
    config: dict[str, Any]
    search_val_accuracy: float | None  # None: it did not reach the full budget


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrained:
    """A candidate with the last epoch's figures of each seed that was trained to the end."""

    candidate: Candidate
    seeds: tuple[int, ...]
    figures: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    train_seconds: float
    all_seeds_ended: bool

    @property
    def val_accuracy(self) -> float | None:
        return fmean(f["val_accuracy"] for f in self.figures) if self.figures else None


def choose_candidates(search: Record, top: int, retrained: Collection[int]) -> list[Candidate]:
    """The `top` best of the full-budget trials, every published (or default) one, and those that
    an earlier session has retrained: no row is lost when a better one is found."""
    complete = search.trials(TrialState.COMPLETE)
    best = sorted(complete, key=lambda t: (-(t.value or 0.0), t.number))[:top]
    chosen = {t.number: t for t in best}
    for trial in search.trials():
        if trial.number in retrained or (_origin(trial) in EXEMPT and _has_config(trial)):
            chosen[trial.number] = trial
    return [
        Candidate(
            trial_number=t.number,
            origin=_origin(t),
            config=t.user_attrs["config"],
            search_val_accuracy=t.value if t.state == TrialState.COMPLETE else None,
        )
        for t in chosen.values()
    ]


class Retraining:
    """A source of (candidate, seed) pairs; pairs that the record holds are not run again."""

    def __init__(self, search: Search, record: Record, *, top: int, seeds: Sequence[int]) -> None:
        self.search = search
        self.record = record
        self._top = top
        self._seeds = tuple(seeds)
        self._candidates: dict[int, Candidate] = {}
        self._running: set[int] = set()
        self._chosen_at: tuple[int, bool] | None = None
        self._unfinished = [t for t in record.trials(TrialState.RUNNING) if not self._settle(t)]
        self._known = {pair(t) for t in record.trials() if t.state != TrialState.FAIL}
        self._num_waiting = len(record.trials(TrialState.WAITING))

    @property
    def finished(self) -> bool:
        """Whether the search is over, and no pair is left or running."""
        if not self.search.finished:
            return False
        self._choose()
        return not (self._unfinished or self._num_waiting or self._running)

    def next_trial(self) -> dict[str, Any] | None:
        """The next pair. Published (or default) configurations are sure to be retrained: they fill
        slots that the search's last trials leave idle; the others are known when it is over."""
        self._choose()
        sampler = RandomSampler(seed=0)
        if self._unfinished:
            trial = self.record.restart(self._unfinished.pop(0), sampler, self._configuration)
        elif self._num_waiting:
            self._num_waiting -= 1
            trial = self.record.ask(sampler, self._configuration)
        else:
            return None
        self._running.add(trial.number)
        last = self.record.last_report(trial.number)
        return {
            "task": "retrain",
            "number": trial.number,
            "name": self.record.name_of(trial),
            "seed": trial.user_attrs["seed"],
            "config": trial.user_attrs["config"],
            "reported": last["epoch"] if last else 0,
        }

    def _choose(self) -> None:
        """Enqueue what has become certain to be retrained since the last time."""
        now = self.search.num_first_asked, self.search.finished
        if now == self._chosen_at:
            return
        self._chosen_at = now
        top = self._top if self.search.finished else 0
        retrained = {number for number, _ in self._known}
        for candidate in choose_candidates(self.search.record, top, retrained):
            self._candidates[candidate.trial_number] = candidate
        for seed in self._seeds:
            for number in self._candidates:
                if (number, seed) not in self._known:
                    self.record.enqueue({}, trial_number=number, seed=seed)
                    self._known.add((number, seed))
                    self._num_waiting += 1

    def on_report(self, number: int, figures: Mapping[str, Any]) -> bool:
        if not self.record.report(number, figures):
            return True  # decided before
        verdict = self._verdict(figures)
        return verdict is None or self._end(number, *verdict)

    def _verdict(self, figures: Mapping[str, Any]) -> tuple[TrialState, str] | None:
        if has_diverged(figures):
            return TrialState.PRUNED, "diverged"
        if figures["epoch"] >= self.search.plan.epochs:
            return TrialState.COMPLETE, "full budget"
        return None

    def _settle(self, left: FrozenTrial) -> bool:
        """End a pair whose last report was recorded, but not what followed from it."""
        reports = reports_of(left)
        verdict = self._verdict(reports[max(reports)]) if reports else None
        if verdict is None:
            return False
        self.record.restart(left, RandomSampler(seed=0), self._configuration)
        self._end(left.number, *verdict)
        return True

    def on_failure(self, number: int, cause: str) -> None:
        self._end(number, TrialState.FAIL, cause)

    def _end(self, number: int, state: TrialState, reason: str) -> bool:
        self.record.end(number, state, reason)
        self._running.discard(number)
        return False

    def results(self) -> list[Retrained]:
        candidates = list(self._candidates.values())
        return read_results(candidates, self.record, self._seeds, self.search.plan.epochs)

    def _configuration(self, trial: Trial) -> dict[str, Any]:
        return self._candidates[trial.user_attrs["trial_number"]].config


def read_results(
    candidates: Sequence[Candidate], record: Record, seeds: Sequence[int], epochs: int
) -> list[Retrained]:
    """Per candidate, what its seeds reached, read from the record."""
    ended = {pair(t): t for t in record.trials(TrialState.COMPLETE)}
    results = []
    for candidate in candidates:
        number = candidate.trial_number
        trials = {s: ended[number, s] for s in seeds if (number, s) in ended}
        results.append(
            Retrained(
                candidate=candidate,
                seeds=tuple(trials),
                figures=tuple(_figures(t, epochs) for t in trials.values()),
                names=tuple(pair_name(t) for t in trials.values()),
                train_seconds=sum(_seconds(t) for t in trials.values()),
                all_seeds_ended=len(trials) == len(seeds),
            )
        )
    return results


def choose_winner(results: Sequence[Retrained]) -> Retrained | None:
    """The highest mean validation accuracy, among configurations that trained on every seed."""
    complete = [r for r in results if r.all_seeds_ended]
    return max(complete, key=lambda r: r.val_accuracy or 0.0, default=None)


def best_seed(winner: Retrained) -> int:
    """Position of the seed with the highest validation accuracy; ties go to the lower loss."""
    return max(
        range(len(winner.seeds)),
        key=lambda i: (winner.figures[i]["val_accuracy"], -winner.figures[i]["val_loss"]),
    )


def pair_name(trial: AnyTrial) -> str:
    return retraining_name(*pair(trial))


def pair(trial: AnyTrial) -> tuple[int, int]:
    return trial.user_attrs["trial_number"], trial.user_attrs["seed"]


def _origin(trial: FrozenTrial) -> Origin:
    origin: Origin = trial.user_attrs.get("origin", "search")
    return origin


def _has_config(trial: FrozenTrial) -> bool:
    return "config" in trial.user_attrs


def _figures(trial: FrozenTrial, epoch: int) -> dict[str, Any]:
    figures: dict[str, Any] = trial.user_attrs[f"epoch_{epoch}"]
    return figures


def _seconds(trial: FrozenTrial) -> float:
    return sum(float(report["seconds"]) for report in reports_of(trial).values())
