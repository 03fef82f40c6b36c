"""96 classes of generated 64x64 images, plain convolutional networks.

Report 001, systems 7a to 7c, Adam and batches of 32: three convolutions (7a) reached 0.42 in the
Kaggle competition; 16, 32 and 64 on 32x32 images, dense 3000 and 1000 (7b) 0.50; 64 to 256 (7c)
0.67. The data: a CSV of files and labels with a column for the split.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

RECIPE = {
    "optimizer": "adam",
    "lr": 1e-3,
    "batch_size": 32,
    "norm_after_activation": True,
    "normalisation": "unit",
}
ASSUMED = ("lr", "schedule", "l2", "epochs")

JOB = Job(
    name="hallucination_cnn",
    dataset="csv:data/hallucination/images.csv",
    architecture="cnn",
    space=cnn.hallucination_space,
    trials=32,
    epochs=50,
    image_size=64,
    shape=(64, 64, 3),
    num_classes=96,
    published=(
        Published(
            name="7a",
            config={**RECIPE, "filters": (32, 32, 32), "dense": (), "batch_norm": False},
            accuracy=0.42,
            metric="Kaggle",
            assumed=(*ASSUMED, "padding", "pooling"),
        ),
        Published(
            name="7b",
            config={
                **RECIPE,
                "resize": 32,
                "filters": (16, 32, 64),
                "same_padding": False,
                "dense": (3000, 1000),
            },
            accuracy=0.50,
            metric="Kaggle",
            assumed=ASSUMED,
        ),
        Published(
            name="7c",
            config={**RECIPE, "filters": (64, 128, 128, 256), "dense": (3000, 1000)},
            accuracy=0.67,
            metric="Kaggle",
            assumed=(*ASSUMED, "a fifth convolution, whose width is not given", "padding"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
