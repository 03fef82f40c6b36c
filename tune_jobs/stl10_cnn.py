"""STL-10 in crops of 64 pixels, convolutional network.

Report 002, system 12: convolutions of 20 and 64 without padding, dense layers of 100 and 50
(1,272,372 parameters), Adam at 1e-4, l2 1e-4, 200 epochs, 0.597 on test.
"""

from searchspaces import cnn
from tune_jobs.engine import Job, Published, main

CROPS = {"crop_fraction": 2 / 3, "rotation_degrees": 20.0, "shear_degrees": 5.0}

JOB = Job(
    name="stl10_cnn",
    dataset="stl10",
    architecture="cnn",
    space=cnn.stl10_space,
    trials=32,
    epochs=200,
    image_size=96,
    shape=(96, 96, 3),
    published=(
        Published(
            name="12",
            config={
                "filters": (20, 64),
                "same_padding": False,
                "dense": (100, 50),
                "dropout": 0.5,
                "optimizer": "adam",
                "lr": 1e-4,
                "l2": 1e-4,
                **CROPS,
            },
            accuracy=0.597,
            metric="test",
            assumed=("dropout", "schedule", "affine taken as shear"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
