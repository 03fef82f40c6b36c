"""STL-10 in crops of 64 pixels, dense layers on what ImageNet's MobileNetV2 sees.

Report 002, system 13: the network frozen, two dense layers and a classifier, Adam at 1.5e-4, l2
5e-5, 100 epochs, 0.643 on test. The network sees each image once, and each of eight augmented
views.
"""

from searchspaces import mlp
from trainables.features import Frozen
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="stl10_mobilenet_frozen",
    dataset="stl10",
    architecture="mlp",
    space=mlp.head_space,
    trials=32,
    epochs=100,
    image_size=96,
    weights="imagenet",
    shape=(96, 96, 3),
    features=Frozen(
        architecture="mobilenet_v2",
        config={
            "normalisation": "imagenet",
            "crop_fraction": 2 / 3,
            "rotation_degrees": 20.0,
            "shear_degrees": 5.0,
        },
        views=8,
    ),
    published=(
        Published(
            name="13",
            config={
                "hidden": (512, 128),
                "batch_norm": False,
                "optimizer": "adam",
                "lr": 1.5e-4,
                "l2": 5e-5,
            },
            accuracy=0.643,
            metric="test",
            assumed=("hidden", "schedule", "affine taken as shear", "eight augmented views"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
