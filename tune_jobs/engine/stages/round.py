"""What a complete round of the retraining has shown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.stages.race import Pair, describe_loss, find_losers, rank
from tune_jobs.engine.stages.search import Search


@dataclass(frozen=True, kw_only=True)
class Round:
    """How the candidates did that have trained the seed of a round, by all seeds so far.

    Attributes:
        number: From 1: the number of seeds.
        ranked: The candidates, the best first.
        scores: Of those that keep to the limits of the run and came to their end with every seed,
            one for each seed.
        exceeded: Which limit a candidate exceeds, where it does.
        search: Where the candidates come from.
    """

    number: int
    ranked: list[int]
    scores: dict[int, list[float]]
    exceeded: dict[int, str]
    search: Search

    @classmethod
    def of(
        cls,
        racing: Sequence[int],
        seeds: Sequence[int],
        ended: Mapping[Pair, RecordedTrial],
        search: Search,
    ) -> "Round":
        trials = {n: [ended[n, seed] for seed in seeds if (n, seed) in ended] for n in racing}
        exceeded = {}
        for number, found in trials.items():
            last = [trial.last for trial in found if trial.last]
            if reason := search.plan.model_limits.exceeded(last):
                exceeded[number] = reason
        score = search.record.metric.score
        scores = {}
        for number, found in trials.items():
            values = [trial.value for trial in found if trial.value is not None]
            if number not in exceeded and len(values) == len(seeds):
                scores[number] = [score(value) for value in values]
        return cls(
            number=len(seeds),
            ranked=rank(racing, scores),
            scores=scores,
            exceeded=exceeded,
            search=search,
        )

    def find_lost(self, defaults: Collection[int], num_rounds: int) -> dict[int, str]:
        """Return why candidates have lost, by number.

        After one seed defaults alone may lose, to the best of them: their trials of the search are
        a second seed, unless the first one goes on from these. Those of other candidates, which
        were chosen by them, are not.

        Args:
            num_rounds: Of the whole race.
        """
        num_looks = max(1, num_rounds - (1 if defaults else 2))
        score, scores = self.search.record.metric.score, self.scores
        if self.number == 1:
            best = self.search.record.best()
            searched = {t.number: score(t.value or 0.0) for t in best if not t.goes_on_with}
            both = sorted({*defaults} & scores.keys() & searched.keys())
            scores = {number: [searched[number], *scores[number]] for number in both}
        lost = find_losers(scores, num_looks)
        # Of a score, the metric's score is the value again.
        return {number: describe_loss(number, scores, score) for number in lost}
