"""Fashion-MNIST, ResNet-18.

Report 000, system 5a: pretrained on CIFAR-10, SGD with momentum 0.9 at 1e-3, lowered every 10
epochs, all weights learned, about 36 minutes on a GTX 1080 Ti; 0.94 on test. Start from a model
of `cifar10_resnet18`, by `--weights runs/cifar10_resnet18/RUN/models/MODEL.safetensors`.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="fashion_resnet",
    dataset="fashion-mnist",
    architecture="resnet18",
    space=resnet.space,
    trials=32,
    epochs=20,
    image_size=28,
    shape=(28, 28, 1),
    published=(
        Published(
            name="5a",
            config={
                "optimizer": "sgd",
                "lr": 1e-3,
                "momentum": 0.9,
                "schedule": "step",
                "step_epochs": 10,
            },
            accuracy=0.94,
            metric="test",
            assumed=("weights", "batch_size", "l2", "step_gamma", "epochs"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
