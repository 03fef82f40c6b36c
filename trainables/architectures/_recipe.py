"""What an expert would run first, whatever the network; each module's `RECIPE` goes on from here.

Chosen on recorded learning curves: see `docs/experiments.md`.
"""

TRAINING = {
    "optimizer": "adamw",
    "lr": 2e-3,
    "l2": 3e-2,
    "batch_size": 64,
    "schedule": "one_cycle",
    "label_smoothing": 0.1,
    "ema_epochs": 0.25,
}
