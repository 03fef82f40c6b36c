"""The work as Optuna's documentation writes it; started by `benchmarks/against_peers.py`.

As `optuna_alone.py`, with the trials enqueued and Optuna's successive halving. One trial at a time
takes all CPUs:

- https://github.com/optuna/optuna-examples/blob/main/pytorch/pytorch_simple.py
- https://optuna.readthedocs.io/en/stable/tutorial/20_recipes/008_specify_params.html
- https://optuna.readthedocs.io/en/stable/reference/generated/optuna.pruners.SuccessiveHalvingPruner
"""

import tempfile
import time
from pathlib import Path

import optuna
import torch

from benchmarks.peers.network import build_splits, build_test, evaluate
from benchmarks.peers.same_work import (
    GRACE_PERIOD,
    REDUCTION_FACTOR,
    Outcome,
    Report,
    read_work,
    space,
)
from benchmarks.peers.training import load, train


def main() -> None:
    work = read_work()
    arrays = work.read_arrays()
    splits = build_splits(arrays, mirrored=True)
    reports: list[Report] = []
    torch.set_num_threads(work.workers)
    with tempfile.TemporaryDirectory() as folder:

        def model_file(trial: optuna.trial.FrozenTrial | optuna.Trial) -> Path:
            return Path(folder) / f"{trial.number}.pt"

        def objective(trial: optuna.Trial) -> float:
            space(trial)
            accuracy = 0.0
            for epoch, accuracy in enumerate(train(trial.params, splits, model_file(trial)), 1):
                reports.append(Report(at=time.time(), val_accuracy=accuracy))
                trial.report(accuracy, epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return accuracy

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            pruner=optuna.pruners.SuccessiveHalvingPruner(
                min_resource=GRACE_PERIOD, reduction_factor=REDUCTION_FACTOR
            ),
        )
        for configuration in work.configurations:
            study.enqueue_trial(dict(configuration))
        study.optimize(objective, n_trials=len(work.configurations))
        best = study.best_trial
        model = load(best.params, splits, model_file(best))
    work.end(
        Outcome(
            trials=len(study.trials),
            reports=reports,
            test_accuracy=evaluate(model, build_test(arrays)),
        )
    )


if __name__ == "__main__":
    main()
