"""CIFAR-10, fully connected networks that taper from 3,072 inputs to 10 classes.

Report 003, systems 15b to 15d: SGD with momentum 0.9 at 0.02, batches of 32, 50 epochs, horizontal
flips; about 0.55 on validation at the best epoch.
"""

from searchspaces import mlp
from tune_jobs.engine import Job, Published, main

RECIPE = {"optimizer": "sgd", "lr": 0.02, "batch_size": 32, "horizontal_flip": 0.5}
ASSUMED = ("batch_norm", "schedule", "l2", "dropout")

JOB = Job(
    name="cifar10_mlp",
    dataset="cifar10",
    architecture="mlp",
    space=mlp.tapered_space,
    trials=32,
    epochs=50,
    image_size=32,
    published=(
        Published(
            name="15b",
            config={**RECIPE, "taper": "half", "batch_norm": False},
            accuracy=0.55,
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="15c",
            config={**RECIPE, "taper": "quarter", "batch_norm": False},
            accuracy=0.55,
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="15d",
            config={**RECIPE, "taper": "quarter_half", "batch_norm": False},
            metric="val, best",
            assumed=ASSUMED,
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
