"""Write a model for programs that know nothing of this project: ONNX, or a program of torch's.

NAME.onnx   for ONNX Runtime and all that reads ONNX; what `describe` gives is in its metadata
NAME.pt2    for `torch.export.load`; what `describe` gives is its extra file `METADATA`

Both take `images`, uint8 NHWC of the card's size and channels with any N, and give `probabilities`,
float32 NK. Crop, normalisation and what a frozen network sees are inside.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from trainables.features.describe import HogDescriber
from trainables.trials.exported.model import Card, EstimatorClassifier, ImageModel

Form = Literal["onnx", "torch"]
ENDINGS: dict[Form, str] = {"onnx": ".onnx", "torch": ".pt2"}

TOLERANCE = 1e-4
"""The most that a probability may differ: other kernels add up float32 in another order."""

METADATA = "metadata.json"
ONNX_PACKAGES = ("onnx", "onnxruntime", "onnxscript")

Predict = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Turns images, NHWC, into probabilities, NK."""


def check_form(model: ImageModel, form: Form) -> None:
    """Refuse what cannot be written.

    Raises:
        ValueError: A part of the model is no network, or a package is not installed.
    """
    foreign: dict[type[nn.Module], str] = {
        EstimatorClassifier: "its estimator is scikit-learn's",
        HogDescriber: "its features (HOG) are computed by scikit-image",
    }
    for part in model.modules():
        if type(part) in foreign:
            raise ValueError(
                f"--format = {form!r}: {foreign[type(part)]}: must be a network, on pixels or on "
                "what a frozen network sees; `predict` and `trainables.load_model` use this one"
            )
    missing = [name for name in ONNX_PACKAGES if form == "onnx" and find_spec(name) is None]
    if missing:
        raise ValueError(
            f"--format = {form!r}: {', '.join(missing)}: not installed: "
            "pip install 'tune-jobs[onnx]'"
        )


def describe(card: Card) -> dict[str, str]:
    """Return what a program must know to use the model, as text; lists are JSON."""
    return {
        "class_names": json.dumps(card.class_names, ensure_ascii=False),
        "image_size": json.dumps(card.image_size),
        "num_channels": str(card.num_channels),
        "decode": (
            "apply the EXIF orientation; lay transparency on white; convert to "
            f"{'grey (Pillow L)' if card.num_channels == 1 else 'RGB'}; resize to image_size "
            "(height, width) by an antialiased bilinear filter, without keeping the aspect ratio; "
            "pass uint8 NHWC"
        ),
        "card": json.dumps(asdict(card), ensure_ascii=False),
    }


def write_portable(model: ImageModel, target: Path, form: Form) -> None:
    """Write the model to `target`, which is replaced.

    Raises:
        Exception: torch cannot trace the network, which may be the user's; it has many classes.
    """
    card = model.card
    images_NHWC = torch.zeros(2, *card.image_size, card.num_channels, dtype=torch.uint8)
    sizes = ({0: torch.export.Dim("N")},)
    with torch.no_grad():
        if form == "torch":
            program = torch.export.export(model, (images_NHWC,), dynamic_shapes=sizes)
            extra = {METADATA: json.dumps(describe(card), ensure_ascii=False)}
            torch.export.save(program, target, extra_files=extra)
            return
        graph = torch.onnx.export(
            model,
            (images_NHWC,),
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_shapes=sizes,
            dynamo=True,
            verbose=False,
        )
    assert graph is not None
    graph.model.metadata_props.update(describe(card))
    graph.save(target, external_data=False)


def load_portable(path: Path, form: Form) -> Predict:
    """Load a file as another program would.

    `torch.export.load` may unpickle parts of a `.pt2`: load none that you do not trust.
    """
    if form == "torch":
        program = torch.export.load(path).module()
        return lambda images_NHWC: program(torch.from_numpy(images_NHWC)).detach().numpy()
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def predict(images_NHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        [probabilities_NK] = session.run(["probabilities"], {"images": images_NHWC})
        return np.asarray(probabilities_NK)

    return predict


def largest_difference(
    model: ImageModel, predict: Predict, images_NHWC: npt.NDArray[np.uint8]
) -> float:
    """Return by how much a probability of the two differs at most, NaN where one is none.

    The first image is predicted alone, the others at once: a file must take any number.
    """
    batches = (images_NHWC[:1], images_NHWC[1:])
    found_NK = np.concatenate([predict(batch) for batch in batches])
    with torch.inference_mode():
        ours_NK = np.concatenate([model(torch.from_numpy(batch)).numpy() for batch in batches])
    return float(np.abs(found_NK - ours_NK).max())
