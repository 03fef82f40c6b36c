"""Fruits-360, fully connected network on pixels.

Report 000, system 3b: hidden layers of 100 and 100, Adam at 1e-5, 30 epochs; 0.87 on test (its text
says about 0.80), with train accuracy near 1.
"""

from searchspaces import mlp
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fruits_mlp",
    dataset="folder:data/fruits-360",
    architecture="mlp",
    space=mlp.space,
    trials=32,
    epochs=30,
    image_size=32,
    shape=(100, 100, 3),
    num_classes=141,
    published=(
        Published(
            name="3b",
            config={"hidden": (100, 100), "batch_norm": False, "optimizer": "adam", "lr": 1e-5},
            accuracy=0.87,
            metric="test",
            assumed=("image_size", "batch_size", "schedule", "l2"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
