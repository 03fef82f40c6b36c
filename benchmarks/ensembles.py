"""Compare rules that choose an ensemble of a run's retrained models by small validation splits.

    python -m benchmarks.ensembles RUN_FOLDER ... [--draws 200] [--sizes 50 200]

The examples of a run's validation and test splits, on none of which its models were trained, are
pooled and divided anew for every draw: so many to choose by, all others to test on. Prints how much
better on test an ensemble is than the model that is best on the same validation examples, as the
mean over the draws, by rule and size; and of how many models it is.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from trainables.metrics import METRICS
from trainables.storage import LocalStorage
from trainables.trials.predictions import VALIDATION, Predictions, read_predictions
from tune_jobs.engine.results import ensemble
from tune_jobs.engine.results.statistics.jackknife import value_examples

Rule = Callable[[Sequence[Predictions]], Mapping[int, float]]


def shipped(models: Sequence[Predictions]) -> Mapping[int, float]:
    return ensemble.select(models, METRICS["accuracy"])


def by_loss(models: Sequence[Predictions]) -> Mapping[int, float]:
    return ensemble.select(models, METRICS["log_loss"])


def ties_by_loss(models: Sequence[Predictions]) -> Mapping[int, float]:
    """Take, of equal accuracies, the lowest log loss, and of equal ensembles the first."""
    picks: list[int] = []
    reached: list[tuple[float, float]] = []
    for _ in range(ensemble.MAX_PICKS):
        tried = [[*picks, position] for position in range(len(models))]
        scores = [merit(mean_of([models[p] for p in each])) for each in tried]
        best = max(range(len(models)), key=scores.__getitem__)
        picks = tried[best]
        reached.append(scores[best])
    taken = picks[: max(range(len(picks)), key=reached.__getitem__) + 1]
    return {position: taken.count(position) / len(taken) for position in taken}


def of_better_half(models: Sequence[Predictions]) -> Mapping[int, float]:
    """Choose among the better half alone."""
    half = rank(models)[: max(2, len(models) // 2)]
    weights = shipped([models[position] for position in half])
    return {half[position]: weight for position, weight in weights.items()}


def bagged(models: Sequence[Predictions]) -> Mapping[int, float]:
    """Average what is chosen, ties by log loss, among half of the models, drawn ten times."""
    random, mean = np.random.default_rng(0), Counter[int]()
    for _ in range(10):
        bag = random.permutation(len(models))[: max(2, len(models) // 2)].tolist()
        chosen = ties_by_loss([models[position] for position in bag])
        mean.update({bag[position]: weight / 10 for position, weight in chosen.items()})
    return mean


def all_alike(models: Sequence[Predictions]) -> Mapping[int, float]:
    return dict.fromkeys(range(len(models)), 1 / len(models))


def best_three(models: Sequence[Predictions]) -> Mapping[int, float]:
    return dict.fromkeys(rank(models)[:3], 1 / 3)


RULES: Mapping[str, Rule] = {
    "greedy, ties to more models": shipped,
    "greedy, ties by log loss": ties_by_loss,
    "greedy, by log loss alone": by_loss,
    "greedy, of the better half": of_better_half,
    "greedy, ties by log loss, bagged": bagged,
    "mean of the best three": best_three,
    "mean of all": all_alike,
}


def merit(predictions: Predictions) -> tuple[float, float]:
    return round(reach(predictions, "accuracy"), 9), -reach(predictions, "log_loss")


def mean_of(models: Sequence[Predictions]) -> Predictions:
    return ensemble.average(models, [1 / len(models)] * len(models))


def rank(models: Sequence[Predictions]) -> list[int]:
    """Return the positions of models, the most accurate first, of equals that of the lower loss."""
    return sorted(range(len(models)), key=lambda position: merit(models[position]), reverse=True)


def reach(predictions: Predictions, metric: str) -> float:
    return value_examples(metric, [predictions]).mean


def read_pooled(run: Path) -> list[Predictions]:
    """Read the predictions of validation and test of each retrained model, joined."""
    pooled = []
    for folder in sorted(run.glob("checkpoints/retrain-*")):
        splits = [
            found
            for name in (VALIDATION, "predictions.parquet")
            if (found := read_predictions(LocalStorage(folder), name))
        ]
        if len(splits) == 2:
            pooled.append(join(splits))
    return pooled


def join(splits: Sequence[Predictions]) -> Predictions:
    return Predictions(
        indices_N=np.concatenate([split.indices_N for split in splits]),
        labels_N=np.concatenate([split.labels_N for split in splits]),
        predicted_N=np.concatenate([split.predicted_N for split in splits]),
        probabilities_NK=np.concatenate([split.probabilities_NK for split in splits]),
    )


def take(of: Predictions, chosen_M: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Predictions:
    return Predictions(
        indices_N=of.indices_N[chosen_M],
        labels_N=of.labels_N[chosen_M],
        predicted_N=of.predicted_N[chosen_M],
        probabilities_NK=of.probabilities_NK[chosen_M],
    )


def compare(models: Sequence[Predictions], size: int, num_draws: int) -> dict[str, list[float]]:
    """Return by rule: mean gain in accuracy, its standard error over the draws, mean gain in log
    loss, and mean number of models."""
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in RULES}
    for draw in range(num_draws):
        order = np.random.default_rng(draw).permutation(len(models[0].labels_N))
        validation = [take(model, order[:size]) for model in models]
        test = [take(model, order[size:]) for model in models]
        single = test[rank(validation)[0]]
        for name, rule in RULES.items():
            weights = rule(validation)
            joined = ensemble.average([test[p] for p in weights], list(weights.values()))
            gain = reach(joined, "accuracy") - reach(single, "accuracy")
            lower = reach(single, "log_loss") - reach(joined, "log_loss")
            found[name].append((gain, lower, len(weights)))
    return {
        name: [
            fmean(gain for gain, _, _ in each),
            float(np.std([gain for gain, _, _ in each]) / math.sqrt(num_draws)),
            fmean(lower for _, lower, _ in each),
            fmean(number for _, _, number in each),
        ]
        for name, each in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200])
    given = parser.parse_args()
    print("| run | chosen by | rule | accuracy | log loss | models |\n|---|---|---|---|---|---|")
    for run in given.runs:
        models = read_pooled(run)
        for size in given.sizes:
            for name, (gain, error, lower, number) in compare(models, size, given.draws).items():
                told = f"{gain:+.4f} ±{error:.4f} | {-lower:+.4f} | {number:.1f} of {len(models)}"
                print(f"| {run.parent.name} | {size} | {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
