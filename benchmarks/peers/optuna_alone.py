"""A search as Optuna's documentation writes it; started by `benchmarks/same_wall_time.py`.

`create_study` and `optimize` with a timeout, a report and a question after each epoch, the default
sampler (TPE) and pruner (median), and the model of the best trial, which the objective saved:

- https://github.com/optuna/optuna-examples/blob/main/pytorch/pytorch_simple.py
- https://optuna.readthedocs.io/en/stable/faq.html (how to save models that an objective trains)

The space is the example's, its optimizers, rates and dropout included, with blocks of convolutions
in place of dense layers, and the batch size, which it leaves fixed. One trial at a time takes all
CPUs. `optimize` lets the trial end that runs when time is up, so it may take longer.
"""

import tempfile
from pathlib import Path

import optuna
import torch
from optuna.trial import TrialState
from torch.utils.data import DataLoader

from benchmarks.peers.contest import Ended, outcome_of, read_turn
from benchmarks.peers.network import (
    Network,
    Splits,
    build_splits,
    build_test,
    evaluate,
    train_epoch,
)

SECONDS_TO_END = 3.0


def define_model(trial: optuna.trial.BaseTrial, splits: Splits) -> Network:
    num_blocks = trial.suggest_int("n_layers", 2, 3)
    filters = [trial.suggest_int(f"n_filters_l{block}", 16, 128) for block in range(num_blocks)]
    return Network(
        filters,
        trial.suggest_int("n_units", 32, 256),
        trial.suggest_float("dropout", 0.2, 0.5),
        shape_HWC=splits.shape_HWC,
        num_classes=splits.num_classes,
    )


def objective(trial: optuna.Trial, splits: Splits, epochs: int, folder: Path) -> float:
    model = define_model(trial, splits)
    name = trial.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=lr)
    batch_size = trial.suggest_categorical("batch_size", [32, 64, 128, 256])
    batches = DataLoader(splits.train, batch_size=batch_size, shuffle=True)
    for epoch in range(epochs):
        train_epoch(model, batches, optimizer)
        accuracy = evaluate(model, splits.validation)
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    torch.save(model.state_dict(), folder / f"{trial.number}.pt")
    return accuracy


def main() -> None:
    turn = read_turn()
    arrays, epochs = turn.arrays, turn.data_set.epochs
    splits = build_splits(arrays, mirrored=turn.data_set.mirrored)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.manual_seed(turn.seed)
    sampler = optuna.samplers.TPESampler(seed=turn.seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study.optimize(
            lambda trial: objective(trial, splits, epochs, folder),
            timeout=turn.seconds_left - SECONDS_TO_END,
        )
        best = study.best_trial
        model = define_model(optuna.trial.FixedTrial(best.params), splits)
        model.load_state_dict(torch.load(folder / f"{best.number}.pt"))
    trials = [
        Ended(
            epochs=len(trial.intermediate_values),
            val_accuracy=trial.intermediate_values[max(trial.intermediate_values)],
        )
        for trial in study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    ]
    turn.end(
        outcome_of(
            trials,
            arrays,
            test_accuracy=evaluate(model, build_test(arrays)),
            val_accuracy=evaluate(model, splits.validation),
        )
    )


if __name__ == "__main__":
    main()
