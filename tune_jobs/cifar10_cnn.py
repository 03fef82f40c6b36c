"""CIFAR-10, plain convolutional network.

Report 003, systems 16b and 16c: convolutions of 32 and 64, each pooled, then dense layers that
halve or quarter from 4,096 to 10; above 0.70 on validation at the best epoch.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

RECIPE = {
    "filters": (32, 64),
    "optimizer": "sgd",
    "lr": 0.02,
    "batch_size": 32,
    "horizontal_flip": 0.5,
    "batch_norm": False,
}
ASSUMED = ("batch_norm", "schedule", "l2", "dropout")

JOB = Job(
    name="cifar10_cnn",
    dataset="cifar10",
    architecture="cnn",
    space=cnn.cifar10_space,
    trials=32,
    epochs=50,
    image_size=32,
    published=(
        Published(
            name="16b",
            config={**RECIPE, "dense_taper": "half"},
            accuracy=0.70,
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="16c",
            config={**RECIPE, "dense_taper": "quarter"},
            accuracy=0.70,
            metric="val, best",
            assumed=ASSUMED,
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
