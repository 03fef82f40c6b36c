"""A trial: a training with its checkpoints, its look at the test split, and the model it leaves."""
