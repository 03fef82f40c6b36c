"""Fruits-360, ResNet-18.

Report 000, system 5b: as `fashion_resnet`'s 5a, images resized; about 56 minutes, 0.98 on test.
The data: https://github.com/fruits-360, a folder with `Training` and `Test`.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fruits_resnet",
    dataset="folder:data/fruits-360",
    architecture="resnet18",
    space=resnet.space,
    trials=32,
    epochs=20,
    image_size=32,
    shape=(100, 100, 3),
    num_classes=141,
    published=(
        Published(
            name="5b",
            config={
                "optimizer": "sgd",
                "lr": 1e-3,
                "momentum": 0.9,
                "schedule": "step",
                "step_epochs": 10,
            },
            accuracy=0.98,
            metric="test",
            assumed=("weights", "image_size", "batch_size", "l2", "step_gamma", "epochs"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
