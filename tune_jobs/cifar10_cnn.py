"""CIFAR-10, plain convolutional network."""

from searchspaces import cnn
from tune_jobs.engine import Job, main

JOB = Job(
    name="cifar10_cnn",
    dataset="cifar10",
    architecture="cnn",
    space=cnn.space,
    trials=32,
    epochs=50,
    image_size=32,
)

if __name__ == "__main__":
    main(JOB)
