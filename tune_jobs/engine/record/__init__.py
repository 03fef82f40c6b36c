"""Keep the durable record of a run: an Optuna study of its search, and one of its retraining."""
