"""Count sources and epochs at chance while a search runs, report by report."""

from collections import Counter

from trainables.metrics import EpochMetrics
from tune_jobs.engine.record.listener import Past
from tune_jobs.engine.results.analysis.chance import Chance
from tune_jobs.engine.results.analysis.sources import SOURCES
from tune_jobs.engine.run_state.info import RunInfo


class Tally:
    """Counts over all trials that have begun, those of earlier sessions included."""

    def __init__(self, info: RunInfo) -> None:
        self._chance = Chance.of_run(info)
        self._sources: Counter[str] = Counter()
        self._num_epochs: Counter[str] = Counter()
        self._beat_chance: set[str] = set()

    def add(self, name: str, past: Past) -> None:
        """Count a trial that begins, goes on, or has ended in an earlier session."""
        if past.source:
            self._sources[past.source] += 1
        for metrics in past.epochs:
            self.report(name, metrics)

    def report(self, name: str, metrics: EpochMetrics) -> None:
        """Count an epoch."""
        self._num_epochs[name] += 1
        if self._chance and not self._chance.holds([metrics]):
            self._beat_chance.add(name)

    def describe(self) -> str:
        """Write for instance `proposals: 8 around the recipe; epochs at chance: 2 of 64`.

        What is not known, or did not occur, is left out.
        """
        parts = []
        if self._sources:
            counts = self._sources.most_common()
            told = ", ".join(f"{count} {SOURCES.get(name, name)}" for name, count in counts)
            parts.append(f"proposals: {told}")
        at_chance = sum(n for name, n in self._num_epochs.items() if name not in self._beat_chance)
        if at_chance and self._chance:
            parts.append(f"epochs at chance: {at_chance:,} of {self._num_epochs.total():,}")
        return "; ".join(parts)
