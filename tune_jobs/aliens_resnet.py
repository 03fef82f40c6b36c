"""Aliens and predators, two classes of photographs, a residual network from scratch.

Report 004, system 21a: backbone not given; 0.720 on validation.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="aliens_resnet",
    dataset="folder:data/aliens",
    architecture="resnet18",
    space=resnet.space,
    trials=24,
    epochs=20,
    image_size=128,
    shape=(128, 128, 3),
    num_classes=2,
    published=(
        Published(
            name="21a",
            config={"optimizer": "adam", "lr": 1e-3, "batch_size": 32},
            accuracy=0.720,
            metric="val",
            assumed=("architecture", "image_size", "optimizer", "lr", "batch_size", "epochs"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
