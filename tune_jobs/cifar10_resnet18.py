"""CIFAR-10, ResNet-18: the network that report 000's systems 5a and 5b start from.

Its exported model is what `fashion_resnet` and `fruits_resnet` take as `--weights`.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, main

JOB = Job(
    name="cifar10_resnet18",
    dataset="cifar10",
    architecture="resnet18",
    space=resnet.space,
    trials=24,
    epochs=30,
    image_size=32,
)

if __name__ == "__main__":
    main(JOB)
