"""CIFAR-10, ResNet-50 from ImageNet's weights, all of them learned.

Report 003, system 17: a head of 1024, 256, 64, 16 and 10 with ReLU between; SGD with momentum 0.9
at 0.02, batches of 32, 50 epochs, horizontal flips; above 0.80 on validation at the best epoch.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="cifar10_resnet50",
    dataset="cifar10",
    architecture="resnet50",
    space=resnet.head_space,
    trials=24,
    epochs=50,
    image_size=32,
    weights="imagenet",
    published=(
        Published(
            name="17",
            config={
                "head": (1024, 256, 64, 16),
                "stem": "imagenet",
                "optimizer": "sgd",
                "lr": 0.02,
                "batch_size": 32,
                "horizontal_flip": 0.5,
                "normalisation": "half",
            },
            accuracy=0.80,
            metric="val, best",
            assumed=("stem", "schedule", "l2", "dropout"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
