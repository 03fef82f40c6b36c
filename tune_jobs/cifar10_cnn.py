"""CIFAR-10, plain convolutional network.

Report 003, systems 16a to 16c: convolutions of 32 and 64, each pooled, then two dense layers
(16a), or dense layers that halve (16b) or quarter (16c) from 4,096 to 10; above 0.70 on
validation at the best epoch for the latter two. SGD with momentum 0.9 at 0.02, batches of 32, 50
epochs, horizontal flips.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

RECIPE = {
    "filters": (32, 64),
    "optimizer": "sgd",
    "lr": 0.02,
    "batch_size": 32,
    "horizontal_flip": 0.5,
    "normalisation": "half",
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
        Published(
            name="16a",
            config={**RECIPE, "dense": (128,)},
            metric="val, best",
            assumed=(*ASSUMED, "dense"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
