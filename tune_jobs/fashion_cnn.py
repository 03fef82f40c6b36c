"""Fashion-MNIST, plain convolutional network.

Report 000, systems 4a and 4b: blocks of convolution, batch norm and ReLU, with dropout, 30 epochs;
0.86 on test with random flips, random crops and normalisation (4b), less without (4a).
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

RECIPE = {"filters": (32, 64, 128), "dropout": 0.25, "optimizer": "adam", "lr": 1e-3}
ASSUMED = ("filters", "dense", "dropout", "optimizer", "lr", "batch_size", "schedule", "l2")

JOB = Job(
    name="fashion_cnn",
    dataset="fashion-mnist",
    architecture="cnn",
    space=cnn.space,
    trials=32,
    epochs=30,
    image_size=28,
    shape=(28, 28, 1),
    published=(
        Published(name="4a", config=RECIPE, assumed=ASSUMED),
        Published(
            name="4b",
            config={**RECIPE, "horizontal_flip": 0.5, "crop_padding": 0.1},
            accuracy=0.86,
            metric="test",
            assumed=(*ASSUMED, "crop_padding"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
