"""Digits, logistic regression: the floor that a network has to beat."""

from searchspaces import linear
from tune_jobs.engine import Job, main

JOB = Job(
    name="digits_linear",
    dataset="digits",
    shape=(8, 8, 1),
    architecture="linear",
    space=linear.space,
    trials=16,
    epochs=20,
)

if __name__ == "__main__":
    main(JOB)
