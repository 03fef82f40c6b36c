"""Any images: which architecture suits them? Several in one search, the cheapest first.

`--dataset folder:photos` gives the images, and `--architectures mlp,cnn` chooses.
"""

from searchspaces import classical, cnn, linear, mlp, resnet
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
            "mlp": mlp.space,
            "cnn": cnn.space,
            "resnet18": resnet.space,
        }
    ),
    trials=32,
    epochs=20,
)

if __name__ == "__main__":
    main(JOB)
