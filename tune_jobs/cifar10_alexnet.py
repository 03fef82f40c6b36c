"""CIFAR-10, AlexNet at half width.

Report 004, system 20: 6,199,498 parameters, 15 epochs, 0.7122 on validation at epoch 14.
"""

from searchspaces import alexnet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="cifar10_alexnet",
    dataset="cifar10",
    architecture="alexnet",
    space=alexnet.space,
    trials=32,
    epochs=15,
    image_size=32,
    published=(
        Published(
            name="20",
            config={"optimizer": "adam", "lr": 1e-3, "dropout": 0.5},
            accuracy=0.7122,
            metric="val, best",
            assumed=("optimizer", "lr", "batch_size", "schedule", "l2"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
