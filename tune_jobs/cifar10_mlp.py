"""CIFAR-10, fully connected networks.

Report 003, systems 15a to 15f: SGD with momentum 0.9 at 0.02, batches of 32, 50 epochs,
horizontal flips, best epoch on validation. Layers that halve (15b) or quarter (15c) from 3,072
inputs to 10 classes reached about 0.55, the network that the course gave (15a) 0.53, the others
less.
"""

from searchspaces import mlp
from tune_jobs.engine import Job, Published, main

RECIPE = {
    "optimizer": "sgd",
    "lr": 0.02,
    "batch_size": 32,
    "horizontal_flip": 0.5,
    "normalisation": "half",
    "batch_norm": False,
}
ASSUMED = ("batch_norm", "schedule", "l2", "dropout")

JOB = Job(
    name="cifar10_mlp",
    dataset="cifar10",
    architecture="mlp",
    space=mlp.cifar10_space,
    trials=32,
    epochs=50,
    image_size=32,
    published=(
        Published(
            name="15b",
            config={**RECIPE, "taper": "half"},
            accuracy=0.55,
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="15c",
            config={**RECIPE, "taper": "quarter"},
            accuracy=0.55,
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="15d",
            config={**RECIPE, "taper": "quarter_half"},
            metric="val, best",
            assumed=ASSUMED,
        ),
        Published(
            name="15a",
            config={**RECIPE, "hidden": (512,)},
            accuracy=0.53,
            metric="val, best",
            assumed=(*ASSUMED, "hidden"),
        ),
        Published(
            name="15e",
            config={**RECIPE, "hidden": (1024, 512, 512, 256, 64)},
            metric="val, best",
            assumed=(*ASSUMED, "hidden"),
        ),
        Published(
            name="15f",
            config={**RECIPE, "hidden": (512, 512, 128)},
            metric="val, best",
            assumed=(*ASSUMED, "hidden"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
