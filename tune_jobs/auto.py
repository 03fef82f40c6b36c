"""Any images: which architecture suits them? Several in one search, the cheapest first.

`--dataset folder:photos` gives the images, and `--architectures mlp,cnn` chooses. Those of
pretrained weights are left out where `--weights` cannot be had.
"""

from searchspaces import backbones, classical, cnn, linear, mlp, resnet
from searchspaces.joined import JoinedSpace
from tune_jobs.engine import Job, main

JOB = Job(
    name="auto",
    dataset="digits",
    shape=(8, 8, 1),
    architecture="linear",
    space=JoinedSpace(
        {
            "linear": linear.space,
            "svm": classical.hog_svm_space,
            "logistic_regression": classical.frozen_logistic_space,
            "mlp": mlp.space,
            "cnn": cnn.space,
            "resnet18": resnet.space,
            "torchvision:mobilenet_v2": backbones.finetune_space,
        },
        max_image_sizes={
            "linear": 32,
            "svm": 64,
            "mlp": 32,
            "cnn": 64,
            "resnet18": 64,
        },
    ),
    trials=32,
    epochs=20,
    image_size="auto",
    weights="imagenet",
    backbone="torchvision:mobilenet_v2",
)

if __name__ == "__main__":
    main(JOB)
