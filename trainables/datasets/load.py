"""From the text of `--dataset` to images."""

from pathlib import Path

from trainables.datasets.cache import load_or_decode
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import ImageData
from trainables.datasets.sources.cifar10 import open_cifar10
from trainables.datasets.sources.csv_file import CsvFile
from trainables.datasets.sources.digits import Digits
from trainables.datasets.sources.folder import Folder
from trainables.datasets.sources.generated import Generated
from trainables.datasets.sources.mnist import FASHION_MNIST, MNIST, open_mnist
from trainables.datasets.sources.parquet import Parquet
from trainables.datasets.sources.source import Source
from trainables.datasets.sources.stl10 import open_stl10
from trainables.datasets.spec import Spec, parse_spec
from trainables.datasets.splits import split_indices


def load_dataset(
    spec: str,
    *,
    data_dir: Path,
    image_size: int | None = None,
    train_size: int | None = None,
    split_seed: int = 0,
) -> ImageData:
    """The images that `spec` names, decoded (or read back from `data_dir`) and split.

    `image_size` P resizes to P x P. `train_size` keeps a stratified part of the images to train
    on, of which validation is then taken where the source gives none.
    Raises DatasetError, with all problems at once, for data that cannot be used as it is.
    """
    if image_size is not None and image_size < 1:
        raise DatasetError(f"the value of --image-size is {image_size}, but must be at least 1.")
    parsed = parse_spec(spec)
    contents = load_or_decode(
        open_source(parsed, data_dir),
        parsed,
        folder=data_dir / "decoded",
        image_size=None if image_size is None else (image_size, image_size),
    )
    indices = split_indices(
        contents.labels_N, contents.splits_N, train_size=train_size, seed=split_seed
    )
    return ImageData(
        images_NHWC=contents.images_NHWC,
        labels_N=contents.labels_N,
        class_names=contents.class_names,
        train_indices=indices.train,
        validation_indices=indices.validation,
        test_indices=indices.test,
        unlabelled_NHWC=contents.unlabelled_MHWC,
        fingerprint=contents.fingerprint,
        split_fingerprint=indices.fingerprint(),
        source=spec,
        notes=contents.notes,
    )


def open_source(spec: Spec, data_dir: Path) -> Source:
    """The source, its files in place: a published set that is missing is downloaded."""
    match spec.kind:
        case "digits":
            return Digits()
        case "mnist":
            return open_mnist(MNIST, data_dir)
        case "fashion-mnist":
            return open_mnist(FASHION_MNIST, data_dir)
        case "cifar10":
            return open_cifar10(data_dir)
        case "stl10":
            return open_stl10(data_dir)
        case "generated":
            height, width, channels = map(int, spec.path.name.split("x"))
            return Generated(
                shape=(height, width, channels),
                num_classes=int(spec.options.get("classes", "10")),
                num_images=int(spec.options["images"]) if "images" in spec.options else None,
            )
        case "folder":
            return Folder(spec.path)
        case "csv":
            return CsvFile(spec.path, **spec.options)
        case "parquet":
            return Parquet(spec.path, **spec.options)
        case _:
            raise ValueError(f"kind = {spec.kind!r}: no source reads data of this kind")
