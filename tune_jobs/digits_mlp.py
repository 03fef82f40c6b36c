"""Digits, fully connected network."""

from searchspaces import mlp
from tune_jobs.engine import Job, main

JOB = Job(
    name="digits_mlp",
    dataset="digits",
    shape=(8, 8, 1),
    architecture="mlp",
    space=mlp.space,
    trials=16,
    epochs=20,
)

if __name__ == "__main__":
    main(JOB)
