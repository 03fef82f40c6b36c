"""Fashion-MNIST, fully connected network on pixels."""

from searchspaces import mlp
from tune_jobs.engine import Job, main

JOB = Job(
    name="fashion_mlp",
    dataset="fashion-mnist",
    architecture="mlp",
    space=mlp.space,
    trials=32,
    epochs=30,
    image_size=28,
)

if __name__ == "__main__":
    main(JOB)
