"""A search over small convolutional networks, for a folder of photographs.

The folder has a folder per class, whose name is the class:

    photos/cat/1.jpg
    photos/cat/2.jpg
    photos/dog/1.jpg

JPEG, PNG, WebP, TIFF, BMP, GIF and PPM will do, in any size: `image_size` below resizes. A `train`,
`val` or `test` folder above the classes is used as that split. Without them a fifth of every class
is set aside for the test, and a fifth of the rest for validation.

    python examples/photos/make_photos.py      # only if you have no folder of your own
    python examples/photos/job.py              # reads photos/ in the current folder
    python examples/photos/job.py --dataset folder:PATH --trials 40 --epochs 30

The table at the end says which configuration is best, by how much, and at what cost; the report
page that it names has the curves, the confusions and the worst mistakes.
"""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_augmentation, suggest_training
from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """Two or three blocks of convolution and pooling, with or without a dense layer."""
    suggest_training(trial)
    suggest_augmentation(trial)
    trial.suggest_categorical("filters_1", (16, 32))
    trial.suggest_categorical("filters_2", (32, 64))
    trial.suggest_categorical("filters_3", (0, 64, 128))  # 0: there is no third block
    trial.suggest_categorical("dense_1", (0, 64, 128))
    trial.suggest_float("dropout", 0.0, 0.5)


JOB = Job(
    name="photos",
    dataset="folder:photos",
    architecture="cnn",
    space=space,
    trials=16,
    epochs=15,
    image_size=32,
)

if __name__ == "__main__":
    main(JOB)
