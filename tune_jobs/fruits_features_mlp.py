"""Fruits-360, fully connected network on HOG features.

Report 000, system 2: HOG and PCA features of which VarianceThreshold keeps fewer than 128, hidden
layers of 100 and 100, Adam at 1e-5; 0.46 on test (23,619 images).
"""

from searchspaces import mlp
from trainables.features import Hog
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fruits_features_mlp",
    dataset="folder:data/fruits-360",
    architecture="mlp",
    space=mlp.ranked_space,
    trials=32,
    epochs=20,
    image_size=64,
    shape=(100, 100, 3),
    num_classes=141,
    features=Hog(ranked_by="variance"),
    published=(
        Published(
            name="2",
            config={
                "num_features": 127,
                "hidden": (100, 100),
                "batch_norm": False,
                "optimizer": "adam",
                "lr": 1e-5,
            },
            accuracy=0.46,
            metric="test",
            assumed=(
                "num_features",
                "image_size",
                "epochs",
                "batch_size",
                "schedule",
                "l2",
                "cells and orientations of HOG",
            ),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
