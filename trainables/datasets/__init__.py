"""Every source of images returns one `ImageData`: decoded once, split once."""

from trainables.datasets.cache import find_decoded
from trainables.datasets.decoding.decode import decode_image
from trainables.datasets.errors import DatasetError
from trainables.datasets.image_data import ImageData
from trainables.datasets.load import DECODED, load_dataset, load_to_look
from trainables.datasets.unlabelled import UnlabelledImages, load_unlabelled

__all__ = [
    "DECODED",
    "DatasetError",
    "ImageData",
    "UnlabelledImages",
    "decode_image",
    "find_decoded",
    "load_dataset",
    "load_to_look",
    "load_unlabelled",
]
