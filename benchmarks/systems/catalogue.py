"""What of the five reports is measured, on which data, and with how much where there is no GPU."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.fruits import BLOCKS
from trainables.features import Frozen
from tune_jobs.engine import Job


@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set that is at hand.

    Attributes:
        spec: As `--dataset` takes it; `{}` is the folder of data.
        words: As the tables name it.
        stands_for: The report's data set, where that cannot be had.
    """

    spec: str
    words: str
    stands_for: str | None = None


FASHION = Data(spec="fashion-mnist", words="Fashion-MNIST")
MNIST = Data(spec="mnist", words="MNIST")
CIFAR10 = Data(spec="parquet:{}/cifar10-jpeg", words="CIFAR-10 as JPEG")
ALIENS = Data(spec="folder:{}/aliens-tested", words="the photographs, tested on `validation`")
FRUITS = Data(spec=f"parquet:{{}}/{BLOCKS}?group=block", words="fruits-49", stands_for="Fruits-360")
FLOWERS = Data(spec="parquet:{}/flowers5", words="flowers5", stands_for="STL-10")

MOBILENET = "{}/weights/mobilenet_v2_imagenet.pt"


@dataclass(frozen=True, kw_only=True)
class System:
    """A job that is run for the table.

    Attributes:
        job: Its name.
        trials, epochs, train_size: What a CPU affords. A GPU takes the job's own trials and
            epochs, and all images.
        image_size: The side in pixels where it is not the job's.
        weights: The file of weights; `{}` is the folder of data. `None` takes none.
        backbone: The network in place of the job's, for which there are no weights.
    """

    job: str
    data: Data
    trials: int
    epochs: int
    train_size: int | None = None
    image_size: int | None = None
    weights: str | None = None
    backbone: str | None = None

    def on_backbone(self, job: Job) -> Job:
        """The job with the network that there are weights for."""
        if self.backbone is None:
            return job
        if isinstance(job.features, Frozen):
            return replace(job, features=replace(job.features, architecture=self.backbone))
        return replace(job, architecture=self.backbone)


SYSTEMS = (
    System(job="fruits_features_mlp", data=FRUITS, trials=32, epochs=20),
    System(
        job="aliens_frozen_svm", data=ALIENS, trials=24, epochs=9,
        image_size=224, weights=MOBILENET, backbone="mobilenet_v2",
    ),
    System(job="fruits_mlp", data=FRUITS, trials=32, epochs=30),
    System(job="fashion_features_mlp", data=FASHION, trials=24, epochs=20),
    System(job="stl10_mobilenet_frozen", data=FLOWERS, trials=24, epochs=60, weights=MOBILENET),
    System(job="stl10_linear", data=FLOWERS, trials=16, epochs=50),
    System(job="stl10_mlp", data=FLOWERS, trials=16, epochs=50),
    System(job="fashion_mlp", data=FASHION, trials=24, epochs=30),
    System(job="fashion_features_classical", data=FASHION, trials=16, epochs=9),
    System(job="stl10_cnn", data=FLOWERS, trials=16, epochs=40),
    System(job="fruits_cnn", data=FRUITS, trials=16, epochs=10),
    System(
        job="aliens_finetuned", data=ALIENS, trials=16, epochs=10,
        image_size=160, weights=MOBILENET, backbone="mobilenet_v2",
    ),
    System(job="stl10_mobilenet", data=FLOWERS, trials=12, epochs=15, weights=MOBILENET),
    System(job="cifar10_mlp", data=CIFAR10, trials=24, epochs=20),
    System(job="mnist_cnn", data=MNIST, trials=16, epochs=10),
    System(job="aliens_resnet", data=ALIENS, trials=8, epochs=15),
    System(job="cifar10_alexnet", data=CIFAR10, trials=16, epochs=20),
    System(job="fashion_cnn", data=FASHION, trials=16, epochs=10),
    System(job="cifar10_cnn", data=CIFAR10, trials=16, epochs=12),
    System(job="fruits_resnet", data=FRUITS, trials=8, epochs=8),
    System(job="fashion_resnet", data=FASHION, trials=8, epochs=8, train_size=10_000),
)  # fmt: skip
"""The cheapest first, as a CPU takes them."""

LACKING = {
    "hallucination": "the 96-class Kaggle set",
    "cifar10_resnet50": "ImageNet's weights of ResNet-50",
}
"""What is not at hand for a job, by what its name begins with."""

REPORTS: Mapping[str, Mapping[str, str]] = {
    "Fashion-MNIST and Fruits-360 (report 000)": {
        "1": "MLP on HOG features",
        "2": "MLP on HOG features",
        "3a": "MLP on pixels",
        "3b": "MLP on pixels",
        "4a": "CNN, plain",
        "4b": "CNN, augmented",
        "4c": "CNN, plain",
        "4d": "CNN, augmented",
        "5a": "ResNet-18, pretrained on CIFAR-10; here from scratch",
        "5b": "ResNet-18, pretrained on CIFAR-10; here from scratch",
        "6 (SVM)": "SVM on HOG features",
        "6 (boosted trees)": "boosted trees on HOG features",
        "6 (linear)": "linear on HOG features",
        "6 (random forest)": "random forest on HOG features",
    },
    "96 classes of generated images (report 001)": {
        "7a": "CNN, 3 convolutions",
        "7b": "CNN, resized to 32 pixels",
        "7c": "CNN, up to 256 filters",
        "7d": "CNN of seven stages",
        "8a": "VGG16-BN, exponential decay",
        "8b": "VGG16-BN, warm-up and decay",
        "8c": "VGG16-BN, reduce on plateau",
        "8d": "VGG16-BN, stopped at 30 epochs",
        "9": "k nearest neighbours",
    },
    "STL-10 (report 002)": {
        "10": "logistic regression",
        "11": "MLP 200, 100, 50",
        "12": "CNN 20, 64",
        "13": "MobileNetV2, frozen",
        "14": "MobileNetV2, fine-tuned",
    },
    "CIFAR-10 (reports 003 and 004)": {
        "15a": "MLP as given",
        "15b": "MLP, halving",
        "15c": "MLP, quartering",
        "15d": "MLP, quarter and half in turn",
        "15e": "MLP of 6 layers",
        "15f": "MLP of 4 layers",
        "16a": "CNN, two dense layers",
        "16b": "CNN, dense layers halving",
        "16c": "CNN, dense layers quartering",
        "17": "ResNet-50, ImageNet weights",
        "20": "AlexNet",
    },
    "MNIST (report 004)": {"19": "simple CNN"},
    "Aliens and predators (report 004)": {
        "21a": "from scratch",
        "21b": "frozen, SVM; here MobileNetV2 at 224 pixels",
        "21c": "fine-tuned; here MobileNetV2 at 160 pixels",
        "21d": "fine-tuned, augmented; here MobileNetV2 at 160 pixels",
    },
}
"""The systems by number, in the order of the page, in words."""
