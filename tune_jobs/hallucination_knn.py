"""96 classes of generated 64x64 images, k nearest neighbours on the pixels.

Report 001, system 9: k of 3, 5, 6, 9 and 11 by Euclidean, Manhattan and cosine distance; the
best, k = 5 and Manhattan by its table, reached 0.16 on validation.
"""

from searchspaces import classical
from trainables.features import Pixels
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="hallucination_knn",
    dataset="csv:data/hallucination/images.csv",
    architecture="knn",
    features=Pixels(),
    space=classical.knn_space,
    trials=16,
    epochs=9,
    image_size=64,
    shape=(64, 64, 3),
    num_classes=96,
    published=(
        Published(
            name="9",
            config={"k": 5, "metric": "manhattan"},
            accuracy=0.16,
            metric="val",
            assumed=("weights of the neighbours",),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
