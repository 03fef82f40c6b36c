"""By how much validation flatters where images of a patient are on both sides of it, and how far it
is off by chance.

    python -m benchmarks.grouped_splits

Of scikit-learn's digits 10 of each class are "patients", with 5 images each: the digit under noise.
All others are new patients, an image each: accuracy on them is what validation should tell. The
images are validated on a split that knows nothing of patients, on one that does
(`?group=patient`), and on 5 folds that do (`--folds 5`), 40 times with other patients and splits.
"""

import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np

from trainables.config import Configuration, Runtime
from trainables.config.features import Pixels
from trainables.datasets import ImageData, load_dataset
from trainables.features.extract import describe_all
from trainables.registry import default_of
from trainables.storage import LocalStorage
from trainables.trials.attempt import Attempt
from trainables.trials.checkpoint import Checkpoints
from trainables.trials.inputs import TrialInputs
from trainables.trials.watchdog import Watchdog
from trainables.worker.run_task import build_trial

PER_CLASS, IMAGES_EACH, NOISE, REPETITIONS = 10, 5, 24.0, 40

MODELS: dict[str, Configuration] = {
    "knn": {"architecture": "knn", "epochs": 1, "k": 1},
    "logistic regression": {"architecture": "logistic_regression", "epochs": 1},
    "mlp": {**default_of("mlp", 20), "batch_size": 32},
}
WAYS: dict[str, tuple[str, int | None]] = {
    "one split, ungrouped": ("", None),
    "one split": ("?group=patient", None),
    "5 folds": ("?group=patient", 5),
}


def write_table(path: Path, digits: ImageData, generator: np.random.Generator) -> None:
    """Write a row of pixels for each image; new patients are the test split."""
    order = generator.permutation(len(digits.labels_N))
    lines = ["label,split,patient," + ",".join(f"pixel{n}" for n in range(64))]
    known = {n for label in range(10) for n in order[digits.labels_N[order] == label][:PER_CLASS]}
    for index in order:
        is_known = index in known
        for _ in range(IMAGES_EACH if is_known else 1):
            noisy = digits.images_NHWC[index].ravel() + generator.normal(0, NOISE, 64)
            pixels = ",".join(map(str, noisy.clip(0, 255).round().astype(int)))
            split = "train" if is_known else "test"
            lines.append(f"{digits.labels_N[index]},{split},p{index},{pixels}")
    path.write_text("\n".join(lines))


def measure(flat: Configuration, data: ImageData, folder: Path) -> tuple[float, float]:
    """Train -> accuracy on validation and on new patients, means over folds where there are any."""
    views = [data.in_fold(number) for number in range(len(data.folds))] or [data]
    found = []
    for view in views:
        is_network = flat["architecture"] == "mlp"
        inputs = TrialInputs(
            data=view, features=None if is_network else describe_all(Pixels(), view)
        )
        trial = build_trial(flat, inputs, Runtime(device="cpu"), seed=0)
        place = LocalStorage(folder / "trial")
        attempt = Attempt(checkpoints=Checkpoints(place), watchdog=Watchdog(None, place))
        *_, last = trial.train(attempt)
        answers_N = trial.predict_logits(view.test_indices).argmax(dim=1).numpy()
        truth = float((answers_N == view.labels_N[view.test_indices]).mean())
        found.append((last.metrics.val_accuracy, truth))
    validation, truth = np.mean(found, axis=0)
    return float(validation), float(truth)


def main() -> None:
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        digits = load_dataset("digits", data_dir=folder / "data")
        for seed in range(REPETITIONS):
            table = folder / f"{seed}.csv"
            write_table(table, digits, np.random.default_rng(seed))
            for way, (option, folds) in WAYS.items():
                spec = f"csv:{table}{option}"
                data = load_dataset(spec, data_dir=folder / "data", split_seed=seed, folds=folds)
                for model, flat in MODELS.items():
                    pairs[model, way].append(measure(flat, data, folder))
    print("| model | validation | says | new patients | too much | off by (RMS) |")
    print("|---|---|---|---|---|---|")
    for model, way in product(MODELS, WAYS):
        said, truth = np.transpose(pairs[model, way])
        off = np.sqrt(np.square(said - truth).mean())
        figures = [said.mean(), truth.mean(), (said - truth).mean(), off]
        print(f"| {model} | {way} | " + " | ".join(f"{value:.3f}" for value in figures) + " |")


if __name__ == "__main__":
    main()
