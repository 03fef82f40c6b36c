"""How often the 95 % intervals of the metrics hold the truth, and how often equals are told apart.

    python -m benchmarks.metric_intervals [--draws 1000] [--examples 1000]

Logits are drawn: of the true class a quality, which varies with the seed, and of every class noise
of an example that all configurations share, of one that the seeds of a configuration share, and of
a seed alone. Labels are drawn too, so that a test split has other counts of its classes each time.
The truth is the metric of very many examples, averaged over seeds.

Coverage with 1,000 examples, over settings with one, three and five seeds (500 draws, and 400
of the last three rows, whose rarest class has 25 or 48 examples; quality 3 is nearly perfect):

                                accuracy     balanced     macro F1     log loss     AUROC
    10 equal classes            0.94-0.97    0.94-0.97    0.94-0.97    0.95-0.97    0.95-0.97
    4 classes 1:20, quality 1.5 0.95-0.97    0.97         0.96-0.99    0.95-0.97    0.95-0.98
    4 classes 1:20, quality 3   0.96-0.97    0.99-1.00    0.97-0.99    0.94-0.97    0.96
    2 classes 1:20, quality 1.5 0.94-0.96    0.97         0.97-0.98    0.93-0.95    0.96-0.97
    2 classes 1:20, quality 3   0.95         0.99-1.00    0.97-0.98    0.94-0.95    0.94-0.95

Equals are told apart in at most 0.06 of draws, and in fewer than 0.01 by balanced accuracy where a
class is rare and nearly always right: half an answer of such a class is much there. AUROC's column
is of Wilson's interval, which it had before, but for unequal classes and quality 3, of one seed or
three: `docs/experiments.md` has both there.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from trainables.metrics import METRICS
from trainables.training.scores import (
    LEAST_PROBABILITY,
    Evaluation,
    Floats,
    Integers,
    evaluate,
)
from trainables.trials.predictions import Predictions
from tune_jobs.engine.results.statistics.intervals import compare, interval
from tune_jobs.engine.results.statistics.jackknife import METHODS, value_examples

SHARED, OWN = 0.5, 0.2
"""Parts of the variance of the noise: of examples, and of examples for a configuration."""

NODES, MANY = 5, 500_000


@dataclass(frozen=True, slots=True)
class Setting:
    """Says what is drawn.

    Attributes:
        quality: The mean logit of the true class, in standard deviations of the noise.
        shares: Of the classes.
        seed_std: The standard deviation of the quality over seeds.
    """

    quality: float
    shares: tuple[float, ...]
    num_examples: int
    seed_std: float = 0.0

    def __str__(self) -> str:
        unequal = max(self.shares) / min(self.shares)
        return (
            f"{len(self.shares):2} classes 1:{unequal:.0f}, quality "
            f"{self.quality:.1f} ± {self.seed_std:.2f}"
        )


EQUAL, UNEQUAL, TWO = (0.1,) * 10, (0.5, 0.3, 0.175, 0.025), (20 / 21, 1 / 21)


def draw(
    setting: Setting, num_seeds: Sequence[int], generator: np.random.Generator
) -> list[list[Predictions]]:
    """Draw the predictions of equal configurations, which have so many seeds each."""
    shape = setting.num_examples, len(setting.shares)
    labels_N = generator.choice(len(setting.shares), setting.num_examples, p=setting.shares)
    shared_NK = np.sqrt(SHARED) * generator.standard_normal(shape)
    drawn = []
    for seeds in num_seeds:
        own_NK = shared_NK + np.sqrt(OWN) * generator.standard_normal(shape)
        qualities = setting.quality + setting.seed_std * generator.standard_normal(seeds)
        drawn.append(list(_draw_seeds(own_NK, labels_N, qualities, generator)))
    return drawn


def _draw_seeds(
    noise_NK: Floats, labels_N: Integers, qualities: Floats, generator: np.random.Generator
) -> Iterator[Predictions]:
    for quality in qualities:
        logits_NK = noise_NK + np.sqrt(1 - SHARED - OWN) * generator.standard_normal(noise_NK.shape)
        logits_NK[np.arange(len(labels_N)), labels_N] += quality
        exponentials_NK = np.exp(2 * logits_NK)
        yield Predictions(
            indices_N=np.arange(len(labels_N)),
            labels_N=labels_N,
            predicted_N=logits_NK.argmax(axis=1),
            probabilities_NK=(exponentials_NK / exponentials_NK.sum(axis=1, keepdims=True)).astype(
                np.float32
            ),
        )


def evaluation_of(predictions: Predictions) -> Evaluation:
    """Score predictions as a trial does."""
    labels_N, probabilities_NK = predictions.labels_N, predictions.probabilities_NK
    chosen_N = probabilities_NK[np.arange(len(labels_N)), labels_N].astype(np.float64)
    loss = float(-np.log(np.maximum(chosen_N, LEAST_PROBABILITY)).mean())
    return evaluate(probabilities_NK, labels_N, predictions.predicted_N, loss)


def find_truth(setting: Setting, generator: np.random.Generator) -> dict[str, float]:
    """Return each metric's mean over all seeds, of very many examples (Gauss-Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES if setting.seed_std else 1)
    truth = dict.fromkeys(METHODS, 0.0)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        quality = setting.quality + setting.seed_std * node
        [[found]] = draw(Setting(quality, setting.shares, MANY), [1], generator)
        figures = asdict(evaluation_of(found))
        for name in truth:
            truth[name] += weight * figures[METRICS[name].figure or ""]
    return truth


def measure(
    setting: Setting, num_seeds: int, num_draws: int, generator: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Return by metric how often the interval holds the truth, and how often two equal
    configurations are told apart at 5 %."""
    truth = find_truth(setting, generator)
    held, apart = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0)
    for _ in range(num_draws):
        pair = draw(setting, (num_seeds, num_seeds), generator)
        for name in METHODS:
            one, other = (value_examples(name, seeds) for seeds in pair)
            found = interval(one)
            held[name] += found.low <= truth[name] <= found.high
            apart[name] += compare(one, other).p_value < 0.05
    return {name: (held[name] / num_draws, apart[name] / num_draws) for name in METHODS}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--examples", type=int, default=1000)
    given = parser.parse_args()
    generator = np.random.default_rng(0)
    print(f"{given.draws} draws of {given.examples} examples; coverage / told apart")
    print(f"{'':52}  {'  '.join(f'{name:>13}' for name in METHODS)}")
    for shares, quality, seed_std, num_seeds in itertools.product(
        (EQUAL, UNEQUAL, TWO), (1.5, 3.0), (0.0, 0.1), (1, 3, 5)
    ):
        if num_seeds == 1 and seed_std:
            continue
        setting = Setting(quality, shares, given.examples, seed_std)
        found = measure(setting, num_seeds, given.draws, generator)
        cells = "  ".join(f"{held:.3f} / {apart:.3f}" for held, apart in found.values())
        print(f"{setting!s:43} {num_seeds} seeds  {cells}", flush=True)


if __name__ == "__main__":
    main()
