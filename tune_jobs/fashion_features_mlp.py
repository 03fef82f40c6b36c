"""Fashion-MNIST, fully connected network on HOG features.

Report 000, system 1: HOG and PCA features of which SelectPercentile keeps 58, hidden layers of
100 and 100, Adam at 1e-5, 20 epochs; 0.75 on test.
"""

from searchspaces import mlp
from trainables.features import Hog
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fashion_features_mlp",
    dataset="fashion-mnist",
    architecture="mlp",
    space=mlp.ranked_space,
    trials=32,
    epochs=20,
    image_size=28,
    shape=(28, 28, 1),
    features=Hog(ranked_by="f_classif"),
    published=(
        Published(
            name="1",
            config={
                "num_features": 58,
                "hidden": (100, 100),
                "batch_norm": False,
                "optimizer": "adam",
                "lr": 1e-5,
            },
            accuracy=0.75,
            metric="test",
            assumed=("batch_size", "schedule", "l2", "cells and orientations of HOG"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
