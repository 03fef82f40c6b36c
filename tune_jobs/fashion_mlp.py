"""Fashion-MNIST, fully connected network on pixels.

Report 000, system 3a: two hidden layers of 100, Adam at 1e-5, 30 epochs, 0.86 on test.
"""

from searchspaces import mlp
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fashion_mlp",
    dataset="fashion-mnist",
    architecture="mlp",
    space=mlp.space,
    trials=32,
    epochs=30,
    image_size=28,
    shape=(28, 28, 1),
    published=(
        Published(
            name="3a",
            config={"hidden": (100, 100), "batch_norm": False, "optimizer": "adam", "lr": 1e-5},
            accuracy=0.86,
            metric="test",
            assumed=("batch_size", "schedule", "l2"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
