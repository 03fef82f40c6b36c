"""CIFAR-10, fully connected network."""

from searchspaces import mlp
from tune_jobs.engine import Job, main

JOB = Job(
    name="cifar10_mlp",
    dataset="cifar10",
    architecture="mlp",
    space=mlp.space,
    trials=32,
    epochs=50,
    image_size=32,
)

if __name__ == "__main__":
    main(JOB)
