"""Fruits-360, plain convolutional network.

Report 000, systems 4c and 4d: as `fashion_cnn`'s, images resized, learning rate 1e-3, 20 epochs,
without (4c) and with (4d) augmentation. The report shows curves only.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

RECIPE = {"filters": (32, 64, 128), "dropout": 0.25, "optimizer": "adam", "lr": 1e-3}
ASSUMED = ("filters", "dense", "dropout", "optimizer", "image_size", "batch_size", "schedule", "l2")

JOB = Job(
    name="fruits_cnn",
    dataset="folder:data/fruits-360",
    architecture="cnn",
    space=cnn.space,
    trials=32,
    epochs=20,
    image_size=64,
    shape=(100, 100, 3),
    num_classes=141,
    published=(
        Published(name="4c", config=RECIPE, assumed=ASSUMED),
        Published(
            name="4d",
            config={**RECIPE, "horizontal_flip": 0.5, "crop_padding": 0.1},
            assumed=(*ASSUMED, "crop_padding"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
