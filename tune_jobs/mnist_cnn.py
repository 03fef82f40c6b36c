"""MNIST, a small convolutional network.

Report 004, system 19: two convolutions of 32, one pooling, a dense layer of 128 (813,802
parameters); 0.9894 on MNIST's 10,000 test images at epoch 10, 0.9910 at epoch 19.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="mnist_cnn",
    dataset="mnist",
    architecture="cnn",
    space=cnn.mnist_space,
    trials=32,
    epochs=20,
    image_size=28,
    shape=(28, 28, 1),
    published=(
        Published(
            name="19",
            config={
                "filters": (32, 32),
                "pool_every": 2,
                "dense": (128,),
                "batch_norm": False,
                "optimizer": "adam",
                "dropout": 0.25,
            },
            accuracy=0.991,
            metric="val, best",
            assumed=("optimizer", "lr", "batch_size", "dropout", "schedule", "l2"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
