"""STL-10 in crops of 64 pixels, MobileNetV2 from ImageNet's weights, all of them learned.

Report 002, system 14: two dense layers before the classifier, SGD at 1e-4, l2 4e-5, 100 epochs,
0.809 on test.
"""

from searchspaces import mobilenet
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="stl10_mobilenet",
    dataset="stl10",
    architecture="mobilenet_v2",
    space=mobilenet.stl10_space,
    trials=24,
    epochs=100,
    image_size=96,
    weights="imagenet",
    shape=(96, 96, 3),
    published=(
        Published(
            name="14",
            config={
                "head": (512, 128),
                "dropout": 0.2,
                "optimizer": "sgd",
                "lr": 1e-4,
                "l2": 4e-5,
                "crop_fraction": 2 / 3,
                "rotation_degrees": 20.0,
                "shear_degrees": 5.0,
                "normalisation": "imagenet",
            },
            accuracy=0.809,
            metric="test",
            assumed=("head", "dropout", "momentum", "schedule", "affine taken as shear"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
