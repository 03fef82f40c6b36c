"""Aliens and predators, two classes of photographs, a residual network from ImageNet's weights.

Report 004: all weights learned (21c) 0.935, with augmentation (21d) 0.950 on validation.
"""

from searchspaces import resnet
from tune_jobs.engine import Job, Published, main

RECIPE = {
    "stem": "imagenet",
    "normalisation": "imagenet",
    "optimizer": "sgd",
    "lr": 1e-3,
    "batch_size": 32,
}
ASSUMED = ("architecture", "image_size", "optimizer", "lr", "batch_size", "epochs")

JOB = Job(
    name="aliens_finetuned",
    dataset="folder:data/aliens",
    architecture="resnet18",
    space=resnet.finetune_space,
    trials=24,
    epochs=20,
    image_size=128,
    weights="imagenet",
    shape=(128, 128, 3),
    num_classes=2,
    published=(
        Published(name="21c", config=RECIPE, accuracy=0.935, metric="val", assumed=ASSUMED),
        Published(
            name="21d",
            config={
                **RECIPE,
                "horizontal_flip": 0.5,
                "crop_padding": 0.1,
                "rotation_degrees": 15.0,
            },
            accuracy=0.950,
            metric="val",
            assumed=(*ASSUMED, "horizontal_flip", "crop_padding", "rotation_degrees"),
        ),
    ),
)

if __name__ == "__main__":
    main(JOB)
