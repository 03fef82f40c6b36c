"""STL-10 in crops of 64 pixels, logistic regression.

Report 002, system 10: SGD with momentum at 5e-5, l2 0.01, 150 epochs, 0.281 on test.
"""

from searchspaces import linear
from tune_jobs.engine import Job, Published, main

CROPS = {"crop_fraction": 2 / 3, "rotation_degrees": 20.0, "shear_degrees": 5.0}

JOB = Job(
    name="stl10_linear",
    dataset="stl10",
    architecture="linear",
    space=linear.stl10_space,
    trials=32,
    epochs=150,
    image_size=96,
    shape=(96, 96, 3),
    published=(
        Published(
            name="10",
            config={"optimizer": "sgd", "lr": 5e-5, "l2": 0.01, **CROPS},
            accuracy=0.281,
            metric="test",
            assumed=("momentum", "schedule", "affine taken as shear"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
