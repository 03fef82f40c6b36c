"""Run a trial: train with checkpoints, evaluate on the test split, and export the model."""
