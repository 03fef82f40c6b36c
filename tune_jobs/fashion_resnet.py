"""Fashion-MNIST, ResNet-18."""

from searchspaces import resnet
from tune_jobs.engine import Job, main

JOB = Job(
    name="fashion_resnet",
    dataset="fashion-mnist",
    architecture="resnet18",
    space=resnet.space,
    trials=32,
    epochs=20,
    image_size=28,
)

if __name__ == "__main__":
    main(JOB)
