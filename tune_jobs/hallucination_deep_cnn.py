"""96 classes of generated 64x64 images, seven convolutional stages that augment their own maps.

Report 001, system 7d: Adam, batches of 32; 0.84 in the Kaggle competition (its text says 0.80).
"""

from searchspaces import deep_cnn
from tune_jobs.engine import Job, Published, main

JOB = Job(
    name="hallucination_deep_cnn",
    dataset="csv:data/hallucination/images.csv",
    architecture="deep_cnn",
    space=deep_cnn.space,
    trials=32,
    epochs=100,
    image_size=64,
    shape=(64, 64, 3),
    num_classes=96,
    published=(
        Published(
            name="7d",
            config={"optimizer": "adam", "lr": 1e-3, "batch_size": 32, "normalisation": "unit"},
            accuracy=0.84,
            metric="Kaggle",
            assumed=("lr", "schedule", "l2", "epochs", "padding of the 3x3 convolutions"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
