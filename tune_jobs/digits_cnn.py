"""Digits, convolutional network: the demonstration, without a download."""

from searchspaces import cnn
from tune_jobs.engine import Job, main

JOB = Job(
    name="digits_cnn",
    dataset="digits",
    shape=(8, 8, 1),
    architecture="cnn",
    space=cnn.space,
    trials=16,
    epochs=20,
)

if __name__ == "__main__":
    main(JOB)
