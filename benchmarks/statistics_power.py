"""What the leaderboard's statistics can tell apart, and how often they are wrong.

    python benchmarks/statistics_power.py [--draws 1000] [--examples 10000]

Answers are drawn from a probit model: an answer is correct where a standard normal number lies
below the accuracy's quantile. That number is the sum of a difficulty of the example that all
configurations share, one of the example for this configuration, a quality of the seed, and noise.

With the defaults, at alpha 0.05 (± is the standard deviation of the accuracy over seeds, in true
accuracy; correlated errors have a correlation of 0.3 to 0.4 between configurations):

                                     0.90 / 0.88             0.52 / 0.50       0.90 / 0.90
    seeds                          1     2     3     5     1     2     3     5     1     3
    independent                 .995  .643  .994  1.00  .813  .507  .894  1.00  .040  .023
    correlated                  1.00  .747  1.00  1.00  .958  .576  .982  1.00  .038  .021
    correlated, seeds ± 0.003   .991  .440  .965  1.00  .911  .430  .883  .996  .213  .033
    correlated, seeds ± 0.010   .858  .081  .340  .745  .744  .100  .295  .678  .618  .030

One seed looks powerful because it takes luck with the seed for a gap: see 0.90 / 0.90. Two seeds
say least of all, since one degree of freedom allows any spread. With three or more the interval
holds the true accuracy in 0.945 to 0.975 of draws (two: 0.905 or more).
"""

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from tune_jobs.engine.results.statistics.intervals import compare, interval
from tune_jobs.engine.results.statistics.ranking import tie_groups
from tune_jobs.engine.results.statistics.variance import Correct, Outcomes

ALPHA = 0.05
SEEDS = (1, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Source:
    """Where errors come from: parts of the variance of 1, and a spread of accuracies."""

    shared_difficulty: float
    own_difficulty: float
    seed_std: float

    def __str__(self) -> str:
        kind = "correlated" if self.shared_difficulty else "independent"
        return f"{kind}, seeds ± {self.seed_std:.3f}"


INDEPENDENT = Source(0.0, 0.0, 0.0)
CORRELATED = Source(0.6, 0.2, 0.0)
SOURCES = (INDEPENDENT, CORRELATED, Source(0.6, 0.2, 0.003), Source(0.6, 0.2, 0.01))


def draw_correct(
    accuracies: Sequence[float],
    *,
    num_seeds: int,
    num_examples: int,
    source: Source,
    generator: np.random.Generator,
) -> list[Correct]:
    """`correct_SN` of one configuration per true accuracy, on the same examples."""

    def normal(*shape: int) -> npt.NDArray[np.float32]:
        return generator.standard_normal(shape, dtype=np.float32)

    shared_N = normal(num_examples) * np.sqrt(source.shared_difficulty)
    drawn = []
    for accuracy in accuracies:
        quantile = stats.norm.ppf(accuracy)
        seed_variance = (source.seed_std / stats.norm.pdf(quantile)) ** 2
        noise = 1 - source.shared_difficulty - source.own_difficulty - seed_variance
        latent_SN = normal(num_seeds, num_examples) * np.sqrt(noise)
        latent_SN += shared_N + normal(num_examples) * np.sqrt(source.own_difficulty)
        latent_SN += normal(num_seeds, 1) * np.sqrt(seed_variance)
        drawn.append(latent_SN < quantile)
    return drawn


def print_coverage(draws: int, num_examples: int, generator: np.random.Generator) -> None:
    print("\nHow often the 95 % interval holds the true accuracy, and its mean width")
    for accuracy, source, num_seeds in itertools.product((0.5, 0.9, 0.98), SOURCES, SEEDS):
        if num_seeds == 1 and source.seed_std:
            continue
        found = []
        for _ in range(draws):
            [correct_SN] = draw_correct(
                [accuracy],
                num_seeds=num_seeds,
                num_examples=num_examples,
                source=source,
                generator=generator,
            )
            found.append(interval(Outcomes.of_answers(correct_SN)))
        coverage = np.mean([of.low <= accuracy <= of.high for of in found])
        width = np.mean([of.high - of.low for of in found])
        print(f"{accuracy:.2f}  {source!s:28} {num_seeds} seeds  {coverage:.3f}  {width:.4f}")


def print_power(draws: int, num_examples: int, generator: np.random.Generator) -> None:
    print("\nHow often two configurations are told apart, and the correlation of their errors")
    pairs = [(0.9, 0.9), (0.9, 0.88), (0.52, 0.5)]
    for pair, source, num_seeds in itertools.product(pairs, SOURCES, SEEDS):
        p_values, correlations = [], []
        for _ in range(draws):
            a_SN, b_SN = draw_correct(
                pair,
                num_seeds=num_seeds,
                num_examples=num_examples,
                source=source,
                generator=generator,
            )
            a, b = Outcomes.of_answers(a_SN), Outcomes.of_answers(b_SN)
            p_values.append(compare(a, b).p_value)
            correlations.append(np.corrcoef(a_SN[0], b_SN[0])[0, 1])
        told_apart = np.mean(np.array(p_values) < ALPHA)
        print(
            f"{pair[0]:.2f} {pair[1]:.2f}  {source!s:28} {num_seeds} seeds  {told_apart:.3f}  "
            f"correlation {np.mean(correlations):.2f}"
        )


def print_boards(draws: int, num_examples: int, generator: np.random.Generator) -> None:
    print("\nHow often ten equal configurations do not all share a group")
    for source, num_seeds in itertools.product(SOURCES, SEEDS):
        if num_seeds == 1 and source.seed_std:
            continue
        split = 0
        for _ in range(draws):
            rows = draw_correct(
                [0.9] * 10,
                num_seeds=num_seeds,
                num_examples=num_examples,
                source=source,
                generator=generator,
            )
            rows.sort(key=lambda correct_SN: -correct_SN.mean())
            split += max(tie_groups(list(map(Outcomes.of_answers, rows)), ALPHA)) > 1
        print(f"{source!s:28} {num_seeds} seeds  {split / draws:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--examples", type=int, default=10_000)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    print(f"{arguments.draws} draws of {arguments.examples:,} examples")
    for print_table in (print_coverage, print_power, print_boards):
        print_table(arguments.draws, arguments.examples, generator)


if __name__ == "__main__":
    main()
