"""`fashion-mnist`: 60,000 + 10,000 grey images of clothes, 28 x 28 in 10 classes.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset" (2017).
"""

from pathlib import Path

from trainables.datasets.source import SourceKind
from trainables.datasets.sources._idx import IdxDataset, idx_files, open_idx

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the files."""

FASHION_MNIST = IdxDataset(
    name="fashion-mnist",
    folder="FashionMNIST/raw",
    files=idx_files(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    class_names=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    packaged=DEBIAN,
)  # fmt: skip
SOURCE = SourceKind(
    help="70,000 grey images of clothes of 28x28 in 10 classes, from Debian's package, else "
    "downloaded when missing",
    open=lambda spec, data_dir: open_idx(FASHION_MNIST, data_dir),
)
