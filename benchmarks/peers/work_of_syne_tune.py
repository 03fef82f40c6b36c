"""The work as Syne Tune's documentation writes it; started by `benchmarks/against_peers.py`.

A script that trains one trial (`syne_tune_trial.py`), `LocalBackend`, which starts a process for
each, ASHA, and `Tuner` with its defaults: it looks for reports every five seconds.

- https://syne-tune.readthedocs.io/en/latest/getting_started.html
- https://syne-tune.readthedocs.io/en/latest/schedulers.html (`points_to_evaluate`)
- https://syne-tune.readthedocs.io/en/latest/faq.html (checkpoints, stopping criteria)
"""

import logging
import os
import tempfile
import time
from pathlib import Path

from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend import LocalBackend
from syne_tune.config_space import choice, loguniform, uniform
from syne_tune.experiments import load_experiment
from syne_tune.optimizer.baselines import ASHA

from benchmarks.peers.network import build_splits, build_test, evaluate
from benchmarks.peers.same_work import (
    EPOCHS,
    GRACE_PERIOD,
    REDUCTION_FACTOR,
    Outcome,
    Report,
    read_work,
)
from benchmarks.peers.training import load

SCRIPT = Path(__file__).parent / "syne_tune_trial.py"

SPACE = {
    "filters_1": choice([16, 32, 48]),
    "filters_2": choice([32, 64, 96]),
    "filters_3": choice([0, 64, 96, 128]),
    "dense_1": choice([64, 128, 256]),
    "dropout": uniform(0.0, 0.5),
    "optimizer": choice(["sgd", "adam"]),
    "lr": loguniform(1e-4, 1e-1),
    "l2": loguniform(1e-6, 1e-2),
    "batch_size": choice([32, 64, 128, 256]),
}


def main() -> None:
    work = read_work()
    logging.getLogger().setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SYNETUNE_FOLDER"] = folder
        backend = LocalBackend(entry_point=str(SCRIPT))
        tuner = Tuner(
            trial_backend=backend,
            scheduler=ASHA(
                SPACE | {"arrays": str(work.arrays)},
                metric="val_accuracy",
                time_attr="epoch",
                max_t=EPOCHS,
                do_minimize=False,
                random_seed=work.seed,
                grace_period=GRACE_PERIOD,
                reduction_factor=REDUCTION_FACTOR,
                points_to_evaluate=[dict(each) for each in work.configurations],
            ),
            # It stops when more have been started than this, and waits for those that run.
            stop_criterion=StoppingCriterion(max_num_trials_started=len(work.configurations) - 1),
            wait_trial_completion_when_stopping=True,
            n_workers=work.workers,
            tuner_name="peers",
        )
        tuner.run()
        number, config = tuner.best_config()
        arrays = work.read_arrays()
        splits = build_splits(arrays, mirrored=True)
        model = load(config, splits, backend.checkpoint_trial_path(number) / "model.pt")
        test_accuracy = evaluate(model, build_test(arrays))
        ended = time.time()
        results = load_experiment(tuner.name).results
        work.end(
            Outcome(
                ended=ended,
                trials=results.trial_id.nunique(),
                reports=[
                    Report(at=at, val_accuracy=value)
                    for at, value in zip(
                        results.st_worker_timestamp, results.val_accuracy, strict=True
                    )
                ],
                test_accuracy=test_accuracy,
            )
        )


if __name__ == "__main__":
    main()
