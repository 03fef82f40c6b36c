"""STL-10 in crops of 64 pixels, fully connected network.

Report 002, system 11: hidden layers of 200, 100 and 50 with batch norm and dropout (2,484,160
parameters), SGD at 1e-3, l2 0.01, 200 epochs, 0.354 on test.
"""

from searchspaces import mlp
from tune_jobs.engine import Job, Published, main

CROPS = {"crop_fraction": 2 / 3, "rotation_degrees": 20.0, "shear_degrees": 5.0}

JOB = Job(
    name="stl10_mlp",
    dataset="stl10",
    architecture="mlp",
    space=mlp.stl10_space,
    trials=32,
    epochs=200,
    image_size=96,
    shape=(96, 96, 3),
    published=(
        Published(
            name="11",
            config={
                "hidden": (200, 100, 50),
                "dropout": 0.5,
                "optimizer": "sgd",
                "lr": 1e-3,
                "l2": 0.01,
                **CROPS,
            },
            accuracy=0.354,
            metric="test",
            assumed=("dropout", "momentum", "schedule", "affine taken as shear"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
