"""`python -m tune_jobs predict MODEL WHAT...`."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainables import load_model
from trainables.datasets import UnlabelledImages, load_unlabelled
from trainables.datasets.errors import MAX_LISTED, counted, fold
from trainables.progress import progress_bar
from tune_jobs.engine.cli.prediction_files import (
    PredictedImages,
    check_output,
    fill_submission,
    read_submission,
    write_table,
)
from tune_jobs.engine.errors import RequestError

if TYPE_CHECKING:
    from trainables.trials.exported.model import ImageModel


def predict_images(
    model_path: str, given: Sequence[str], *, top: int, output: str | None, submission: str | None
) -> int:
    """Print the most probable classes of each image, or write them to a file -> the exit status.

    Args:
        model_path: A `.safetensors` with its JSON.
        given: Image files, folders, `csv:PATH` or `parquet:PATH`; no labels are needed.
        top: Classes shown per image.
        output: The file that takes the predictions, by its ending CSV, JSON lines or Parquet.
        submission: A CSV of the ids of images, whose shape `output` takes.

    Returns:
        1 where images could not be decoded: they are listed at the end, the others are predicted.

    Raises:
        RequestError: There is no such model, nothing to predict, or the files do not fit.
    """
    if top < 1:
        raise RequestError(f"--top = {top}: must be at least 1")
    check_output(output, submission)
    sample = read_submission(submission) if submission else None
    try:
        model = load_model(model_path)
        size, num_channels = model.card.image_size, model.card.num_channels
        images = load_unlabelled(given, image_size=size, num_channels=num_channels)
    except (FileNotFoundError, ValueError) as error:
        raise RequestError(str(error)) from error
    predicted = _predict(model, images)
    if output and sample:
        print(fill_submission(sample, predicted, output, images))
    elif output:
        write_table(predicted, output)
        print(f"{output}: the predictions of {counted(len(predicted.names), 'image')}")
    else:
        _show(predicted, top)
    return _report_problems(images)


def _predict(model: "ImageModel", images: UnlabelledImages) -> PredictedImages:
    """Predict what could be decoded, in batches, on the GPU where there is one."""
    import torch

    from trainables.training.evaluate import in_batches

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    indices = images.sound_indices

    def predict(chosen: slice) -> torch.Tensor:
        batch_NHWC = torch.from_numpy(images.images_NHWC[indices[chosen]])
        probabilities_NK: torch.Tensor = model(batch_NHWC.to(device)).cpu()
        return probabilities_NK

    probabilities = [torch.empty(0, len(model.card.class_names))]
    with torch.inference_mode(), progress_bar("Predicting images", len(indices)) as advance:
        for batch_NK in in_batches(predict, len(indices)):
            probabilities.append(batch_NK)
            advance(len(batch_NK))
    return PredictedImages(
        names=tuple(images.names[index] for index in indices),
        class_names=model.card.class_names,
        probabilities_NK=torch.cat(probabilities).numpy(),
    )


def _show(predicted: PredictedImages, top: int) -> None:
    for name, probabilities_K in zip(predicted.names, predicted.probabilities_NK, strict=True):
        best = (-probabilities_K).argsort(kind="stable")[:top]
        classes = (f"{predicted.class_names[k]} {probabilities_K[k]:.4f}" for k in best)
        print(f"{name}  {'  '.join(classes)}")


def _report_problems(images: UnlabelledImages) -> int:
    if not images.problems:
        return 0
    count, total = len(images.problems), len(images.names)
    print(f"error: {count:,} of {counted(total, 'image')} could not be predicted:", file=sys.stderr)
    lines = [
        f"{images.names[index]}: {images.problems[index]}" for index in sorted(images.problems)
    ]
    lists = tempfile.mkdtemp(prefix="predict-") if count > MAX_LISTED else "."  # kept for the user
    for line in fold(lines, Path(lists)):
        print(f"  {line}", file=sys.stderr)
    return 1
