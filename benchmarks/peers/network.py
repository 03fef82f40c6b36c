"""A small CNN and its training loop in plain PyTorch, as tutorials write them.

The loop is that of https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html: a
`Dataset` with transforms by image, a `DataLoader`, an epoch over its batches. The transforms are
those of a CIFAR-10 tutorial, random crops of padded images and mirroring. As in our recipe, images
are padded by a twentieth of their side. Images are normalised by the mean and standard deviation of
the train split's channels, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.peers.contest import Arrays
from trainables.datasets.image_data import Pixels

Batches = DataLoader[tuple[Tensor, Tensor]]


class Network(nn.Module):
    """Blocks of convolution, batch norm, ReLU and pooling, then a dense layer: as our `cnn`."""

    def __init__(
        self,
        filters: Sequence[int],
        dense: int,
        dropout: float,
        *,
        shape_HWC: tuple[int, ...],
        num_classes: int,
    ) -> None:
        super().__init__()
        side, _, channels = shape_HWC
        blocks: list[nn.Module] = []
        for width in filters:
            blocks += [
                nn.Conv2d(channels, width, 3, padding=1),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            channels, side = width, side // 2
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels * side * side, dense),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(dense, num_classes),
        )

    def forward(self, images_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.head(self.blocks(images_NCHW))
        return logits_NK


class Images(Dataset[tuple[Tensor, Tensor]]):
    def __init__(
        self, images_NCHW: Tensor, labels_N: Tensor, transform: transforms.Compose | None = None
    ) -> None:
        self.images_NCHW, self.labels_N, self.transform = images_NCHW, labels_N, transform

    def __len__(self) -> int:
        return len(self.labels_N)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.images_NCHW[index]
        return self.transform(image) if self.transform else image, self.labels_N[index]


@dataclass(frozen=True, kw_only=True)
class Splits:
    """What a search sees, ready for loaders."""

    train: Images
    validation: Images
    shape_HWC: tuple[int, ...]
    num_classes: int


def build_splits(arrays: Arrays, *, mirrored: bool) -> Splits:
    shape_HWC = arrays.train_NHWC.shape[1:]
    padding = max(1, round(0.05 * shape_HWC[0]))
    steps: list[nn.Module] = [transforms.RandomCrop(shape_HWC[0], padding=padding)]
    if mirrored:
        steps.append(transforms.RandomHorizontalFlip())
    return Splits(
        train=Images(
            normalise(arrays.train_NHWC, arrays),
            torch.from_numpy(arrays.train_N),
            transforms.Compose(steps),
        ),
        validation=Images(
            normalise(arrays.validation_NHWC, arrays), torch.from_numpy(arrays.validation_N)
        ),
        shape_HWC=shape_HWC,
        num_classes=arrays.num_classes,
    )


def build_test(arrays: Arrays) -> Images:
    return Images(normalise(arrays.test_NHWC, arrays), torch.from_numpy(arrays.test_N))


def normalise(images_NHWC: Pixels, arrays: Arrays) -> Tensor:
    """Return float images NCHW, normalised by the train split's channels."""
    train = arrays.train_NHWC / np.float32(255)
    mean, std = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    normalised = (images_NHWC / np.float32(255) - mean) / std
    return torch.from_numpy(normalised.astype(np.float32)).permute(0, 3, 1, 2).contiguous()


def train_epoch(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> None:
    model.train()
    loss_of = nn.CrossEntropyLoss()
    for images_NCHW, labels_N in batches:
        optimizer.zero_grad()
        loss_of(model(images_NCHW), labels_N).backward()
        optimizer.step()


def evaluate(model: nn.Module, images: Images) -> float:
    """Return the accuracy, a fraction."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for images_NCHW, labels_N in DataLoader(images, batch_size=256):
            correct += int((model(images_NCHW).argmax(1) == labels_N).sum())
    return correct / len(images)
