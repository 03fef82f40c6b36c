"""A network is trained on batches by index, from images or from precomputed features."""

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from trainables.config import ConfigError, Runtime, TrialConfig
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.image_ops.geometry import centre_crop, cropped_size
from trainables.training.augment import augment
from trainables.training.device import free_device_bytes, memory_format, will_need
from trainables.training.normalisation import (
    Normalisation,
    build_normalisation,
    train_normalisation,
)
from trainables.training.pretrained import Pretrained

SHARE_OF_DEVICE_MEMORY = 0.5
"""A data set that takes more than this of the free GPU memory stays on the host."""

SHARE_OF_MEMORY = 0.5
"""Images that take more than this of the machine's memory are read in blocks: the other half is for
the processes that train."""

BLOCK_BYTES = 2**20
"""Neighbours that are read together: a disk reads 1 MiB at about its full rate."""

WINDOW_BYTES = 2**28
"""Images that are shuffled with each other; each trial has two such windows in memory."""


class Placed:
    """Holds the arrays of a data set where `runtime` can index them.

    That is on the GPU if they fit there, else where they are, which copies nothing. A worker that
    trains many trials places them once.

    Args:
        beside: The same arrays in other splits, which are placed already.
    """

    def __init__(
        self,
        data: ImageData,
        features: FeatureData | None,
        runtime: Runtime,
        beside: "Placed | None" = None,
    ) -> None:
        if beside is None:
            pixels = data.images_NHWC
            arrays = (pixels,) if features is None else (features.plain_ND, features.views_VTD)
            place = _place(sum(array.nbytes for array in arrays), runtime)
            self.arrays = tuple(_tensor(array).to(place) for array in arrays)
        else:
            self.arrays = beside.arrays
        place = self.arrays[0].device
        self.labels_N = _tensor(data.labels_N).to(place)
        self.train = _tensor(data.train_indices).to(place)
        self.validation = _tensor(data.validation_indices).to(place)
        self.test = _tensor(data.test_indices).to(place)
        self.image_size = data.image_size
        self.num_channels = data.num_channels
        self.num_classes = data.num_classes
        self.normalisation = train_normalisation(data) if features is None else None

    def draw_batches(
        self, num_steps: int, runtime: Runtime, generator: torch.Generator
    ) -> Iterable[Tensor]:
        """Draw the order of an epoch's train images -> those of each step, as indices.

        Any order is as likely, or, where images are larger than memory, any that reads them in
        blocks; the disk then reads what is next while the caller computes.
        """
        count, images = len(self.train), self.arrays[0]
        if runtime.memory_bytes is None or images.nbytes <= SHARE_OF_MEMORY * runtime.memory_bytes:
            order_N = torch.randperm(count, device=self.train.device, generator=generator)
            return self.train[order_N].tensor_split(num_steps)
        block = max(1, BLOCK_BYTES * len(images) // images.nbytes)
        num_windows = max(1, count * images[0].nbytes // WINDOW_BYTES)
        order_N = self.train[shuffle_blocks(count, block, num_windows, generator)]
        return read_ahead(images, order_N, num_windows, num_steps)


def shuffle_blocks(count: int, block: int, num_windows: int, generator: torch.Generator) -> Tensor:
    """Draw an order of N = `count` images that reads them in blocks of neighbours.

    The images come in windows, each of which is shuffled, after CorgiPile (Xu et al., "Stochastic
    Gradient Descent without Full Data Shuffle", 2022). Here each window is a stratified sample: of
    as many blocks in a row as there are windows it has one. So every window has all classes in
    proportion, even where images lie sorted by class.

    Args:
        block: How many images are neighbours.
    """
    device = generator.device
    num_blocks = math.ceil(count / block)

    def draw(number: int) -> Tensor:
        return torch.rand(number, dtype=torch.float64, device=device, generator=generator)

    places_B = torch.arange(num_blocks, device=device)
    window_B = torch.empty_like(places_B)
    window_B[(places_B // num_windows + draw(num_blocks)).argsort()] = places_B % num_windows
    return (window_B.repeat_interleave(block)[:count] + draw(count)).argsort()


def read_ahead(
    images: Tensor, order_N: Tensor, num_windows: int, num_steps: int
) -> Iterator[Tensor]:
    """Yield the images of each step, while the disk reads those of the next window as they lie."""
    windows = order_N.tensor_split(num_windows)
    reading_N = torch.cat([window_N.sort().values for window_N in windows])
    used = begun = 0
    for chosen_N in order_N.tensor_split(num_steps):
        used += len(chosen_N)
        will_need(images, reading_N[begun : used + len(windows[0])])
        begun = used + len(windows[0])
        yield chosen_N


class Inputs(Protocol):
    """Gives batches of network inputs, NCHW, on the device that trains, by index into the data."""

    placed: Placed
    in_channels: int
    image_size: tuple[int, int]  # (H, W) of what the network sees

    def augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor: ...
    def plain(self, chosen: Tensor) -> Tensor: ...


class ImageInputs:
    """Gathers, augments and normalises images, a batch at a time."""

    def __init__(
        self,
        placed: Placed,
        config: TrialConfig,
        runtime: Runtime,
        *,
        in_channels: int,
        weights: Normalisation | None = None,
    ) -> None:
        assert placed.normalisation is not None
        self.placed = placed
        self.in_channels = in_channels
        self.image_size = cropped_size(placed.image_size, config.crop_fraction)
        self.normalisation: Normalisation = build_normalisation(
            config.normalisation,
            placed.normalisation,
            weights=weights,
            num_channels=placed.num_channels,
            in_channels=in_channels,
        )
        [self._images_NHWC] = placed.arrays
        self._config = config
        self._runtime = runtime

    def augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        images = self._images_NHWC.index_select(0, chosen)
        return self._to_network(augment(images, self._config, generator))

    def plain(self, chosen: Tensor) -> Tensor:
        images = self._images_NHWC.index_select(0, chosen)
        return self._to_network(centre_crop(images, self._config.crop_fraction))

    def _to_network(self, images_NHWC: Tensor) -> Tensor:
        images_NHWC = images_NHWC.to(self._runtime.device, non_blocking=True)
        return self.normalisation(images_NHWC, memory_format(self._runtime))


class FeatureInputs:
    """Gives features as images of one pixel with a channel per feature.

    Training sees one of the augmented views of each image, where there are any, drawn anew every
    epoch.
    """

    def __init__(self, placed: Placed, config: TrialConfig, runtime: Runtime) -> None:
        self.placed = placed
        self._plain_ND, self._views_VTD = placed.arrays
        width = self._plain_ND.shape[1]
        self.in_channels = min(config.num_features or width, width)
        self.image_size = (1, 1)
        self._runtime = runtime
        self._position_N = torch.zeros(len(self._plain_ND), dtype=torch.int64)
        self._position_N = self._position_N.to(placed.train.device)
        self._position_N[placed.train] = torch.arange(len(placed.train), device=placed.train.device)

    def augmented(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        num_views, num_train, width = self._views_VTD.shape
        if num_views == 0:
            return self.plain(chosen)
        view = torch.randint(num_views, (len(chosen),), device=chosen.device, generator=generator)
        rows = view * num_train + self._position_N[chosen]
        return self._to_network(self._views_VTD.view(-1, width).index_select(0, rows))

    def plain(self, chosen: Tensor) -> Tensor:
        return self._to_network(self._plain_ND.index_select(0, chosen))

    def _to_network(self, features_ND: Tensor) -> Tensor:
        features_ND = features_ND[:, : self.in_channels, None, None]
        return features_ND.to(self._runtime.device, non_blocking=True)


def build_inputs(
    placed: Placed, config: TrialConfig, runtime: Runtime, pretrained: Pretrained | None
) -> Inputs:
    """Build inputs from what is placed, which is images, or the features of them.

    Args:
        placed: The data, as `place` gives it.
        config: How images are augmented and normalised, or how many features are taken.
        runtime: Where the network trains.
        pretrained: The weights that the network starts from.

    Raises:
        ConfigError: The network takes another number of channels than the images can give.
    """
    if placed.normalisation is None:
        return FeatureInputs(placed, config, runtime)
    in_channels = (pretrained.in_channels if pretrained else 0) or placed.num_channels
    if in_channels not in (placed.num_channels, 3):
        raise ConfigError(
            f"--weights: they are of a network for images of {in_channels} channels, and these "
            f"have {placed.num_channels}: give others"
        )
    weights = pretrained.normalisation if pretrained else None
    return ImageInputs(placed, config, runtime, in_channels=in_channels, weights=weights)


_placed: dict[tuple[str, str, str], dict[str, Placed]] = {}


def place(data: ImageData, features: FeatureData | None, runtime: Runtime) -> Placed:
    """Place the data on this process's device; the data that was placed last is kept, as all its
    folds have it."""
    key = data.fingerprint, "" if features is None else features.fingerprint, runtime.device
    if key not in _placed:
        _placed.clear()
    by_split = _placed.setdefault(key, {})
    if data.split_fingerprint not in by_split:
        beside = next(iter(by_split.values()), None)
        by_split[data.split_fingerprint] = Placed(data, features, runtime, beside)
    return by_split[data.split_fingerprint]


def _place(num_bytes: int, runtime: Runtime) -> torch.device:
    if runtime.device == "cuda" and num_bytes <= SHARE_OF_DEVICE_MEMORY * free_device_bytes():
        return torch.device("cuda")
    return torch.device("cpu")


def _tensor(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> Tensor:
    """Wrap the array's own memory; the tensor is only read, as a file's map demands."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
