"""STL-10 at 64 pixels, logistic regression.

Report 002, system 10: SGD with momentum at 5e-5, l2 0.01, 150 epochs, 0.281 on test.
"""

from searchspaces import linear
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="stl10_linear",
    dataset="stl10",
    architecture="linear",
    space=linear.space,
    trials=32,
    epochs=150,
    image_size=64,
    published=(
        Published(
            name="10",
            config={"optimizer": "sgd", "lr": 5e-5, "l2": 0.01, "rotation_degrees": 20.0},
            accuracy=0.281,
            metric="test",
            assumed=("momentum", "schedule", "random crop and affine"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
