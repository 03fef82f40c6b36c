"""Compare the recipes with the defaults that they took the place of, and with variants of them.

    python -m benchmarks.recipes DATA [TASK ...] [--seeds 5] [--variant lr=0.004,batch_size=32 ...]

Each configuration is trained with every seed on the tasks of `benchmarks.record_curves`, whose DATA
this is too. Prints the accuracy on validation at the end, as the mean over the seeds, and the
difference to the default without a recipe with its p-value (paired by seed, t-test).
"""

import argparse
import ast
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from scipy.stats import ttest_rel

from benchmarks.record_curves import CPU, TASKS, Task, load_task
from trainables.config import complete_config
from trainables.registry import default_of, is_estimator, recipe_of
from trainables.training.device import prepare_process
from trainables.training.fit import build_training
from trainables.trials.estimator_trial import EstimatorTrial
from trainables.trials.inputs import TrialInputs


def accuracy(config: dict[str, Any], inputs: TrialInputs, seed: int) -> float:
    """Train to the end; return the accuracy on validation of what would be shipped."""
    if is_estimator(config["architecture"]):
        trial = EstimatorTrial(config, inputs, seed=seed)
        return [m.val_accuracy for m in trial.training.fit(rungs=(), after=0)][-1]
    training = build_training(config, inputs.data, CPU, seed=seed, features=inputs.features)
    return [training.run_epoch().val_accuracy for _ in range(training.config.epochs)][-1]


def configurations(task: Task, variants: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    default = default_of(task.architecture, task.epochs)
    recipe = recipe_of(default)
    varied = {
        ", ".join(f"{name} {value}" for name, value in each.items()): complete_config(recipe, each)
        for each in variants
    }
    return {"default": default, "recipe": recipe, **varied}


def variant(text: str) -> dict[str, Any]:
    """`lr=0.004,schedule=cosine` -> {"lr": 0.004, "schedule": "cosine"}"""
    pairs = [part.split("=") for part in text.split(",")]
    return {name: _value(value) for name, value in pairs}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text  # a word


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--variant", type=variant, action="append", default=[])
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_process()
    for name in given.tasks or TASKS:
        task = TASKS[name]
        inputs = load_task(task, given.data, Path(tempfile.gettempdir()) / "curves-data")
        baseline: list[float] = []
        for label, config in configurations(task, given.variant).items():
            found = [accuracy(config, inputs, seed) for seed in range(given.seeds)]
            baseline = baseline or found
            gain = fmean(found) - fmean(baseline)
            p = ttest_rel(found, baseline).pvalue if found != baseline else 1.0
            print(f"{name:18} {label:30} {fmean(found):.4f}  {gain:+.4f}  p {p:.3f}", flush=True)


if __name__ == "__main__":
    main()
