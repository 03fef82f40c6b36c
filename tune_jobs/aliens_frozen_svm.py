"""Aliens and predators, a support vector machine on what ImageNet's ResNet-18 sees.

Report 004, system 21b: a frozen pretrained network's features to an SVM; 0.905 on validation.
"""

from searchspaces import classical
from trainables.features import Frozen
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="aliens_frozen_svm",
    dataset="folder:data/aliens",
    architecture="svm",
    space=classical.svm_space,
    trials=24,
    epochs=9,
    image_size=128,
    weights="imagenet",
    shape=(128, 128, 3),
    num_classes=2,
    features=Frozen(
        architecture="resnet18", config={"stem": "imagenet", "normalisation": "imagenet"}
    ),
    published=(
        Published(
            name="21b",
            config={},
            accuracy=0.905,
            metric="val",
            assumed=("backbone", "image_size", "hyperparameters"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
