"""`python -m tune_jobs export MODEL --format onnx|torch`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from trainables import load_model
from trainables.datasets import DECODED, find_decoded
from trainables.storage import is_uri
from tune_jobs.engine.cli.prediction_files import check_place
from tune_jobs.engine.errors import RequestError

if TYPE_CHECKING:
    from trainables.trials.exported.model import Card, ImageModel
    from trainables.trials.exported.portable import Form

NUM_COMPARED = 64
"""The number of images on which the file is compared with the model."""


def export_model(model_path: str, form: "Form", output: str | None, data_dir: Path) -> int:
    """Write a model for other programs, compare the two -> the exit status.

    Args:
        model_path: A `.safetensors` with its JSON.
        output: The file to write; `None`: beside the model, with the format's ending.
        data_dir: Where images may be decoded that the two are compared on.

    Returns:
        1 where the probabilities differ: nothing is left then.

    Raises:
        RequestError: There is no such model, or it cannot be written in this format.
    """
    from trainables.trials.exported.portable import TOLERANCE, largest_difference, load_portable

    target = _target(model_path, form, output)
    try:
        model = load_model(model_path)
    except (FileNotFoundError, ValueError) as error:
        raise RequestError(str(error)) from error
    images_NHWC, whose = _choose_images(model.card, data_dir)
    unchecked = target.with_name(f".unchecked-{os.getpid()}-{target.name}")
    try:
        _write(model, unchecked, form)
        try:
            difference = largest_difference(model, load_portable(unchecked, form), images_NHWC)
        except Exception as error:  # of the library that runs the file
            print(f"error: {target} is not written: it does not run: {error}", file=sys.stderr)
            return 1
        compared = (
            f"probabilities of {len(images_NHWC)} images ({whose}) differ from the model's by "
            f"{difference:.1e} at most; {TOLERANCE:.0e} is allowed"
        )
        if not difference <= TOLERANCE:  # NaN is none either
            print(f"error: {target} is not written: {compared}", file=sys.stderr)
            return 1
        unchecked.replace(target)
    finally:
        unchecked.unlink(missing_ok=True)
    print(f"{target}: {compared}")
    return 0


def _target(model_path: str, form: "Form", output: str | None) -> Path:
    from trainables.trials.exported.portable import ENDINGS

    ending = ENDINGS[form]
    if output is None:
        if is_uri(model_path):
            raise RequestError(f"--output: must name a file here, since {model_path} is elsewhere")
        return Path(model_path).with_suffix(ending)
    if Path(output).suffix.lower() != ending:
        raise RequestError(f"--output = {output!r}: must end in {ending} for --format {form}")
    check_place(output)
    return Path(output)


def _write(model: "ImageModel", target: Path, form: "Form") -> None:
    from trainables.trials.exported.portable import check_form, write_portable

    try:
        check_form(model, form)
    except ValueError as error:
        raise RequestError(str(error)) from error
    try:
        write_portable(model, target, form)
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error}") from error
    except Exception as error:  # a user's network raises almost any type when it is traced
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise RequestError(
            f"--format = {form!r}: torch.export cannot trace the network: {reason}: see "
            "https://docs.pytorch.org/docs/stable/export.html for what a network may do"
        ) from error


def _choose_images(card: "Card", data_dir: Path) -> tuple[npt.NDArray[np.uint8], str]:
    """Return images, NHWC, to compare the two on, and say what they are: those of the model's own
    data set where it is decoded here, else random pixels."""
    found = find_decoded(card.dataset_fingerprint, data_dir / DECODED)
    if found is None:
        shape = (NUM_COMPARED, *card.image_size, card.num_channels)
        random_NHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        return random_NHWC, f"random, since {card.dataset} is not in {data_dir} as it was"
    count = len(found.labels_N)
    chosen = np.linspace(0, count - 1, min(count, NUM_COMPARED), dtype=np.int64)
    return found.images_NHWC[chosen], f"of {card.dataset}"
