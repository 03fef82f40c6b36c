"""`python -m tune_jobs predict MODEL IMAGE...`."""

from collections.abc import Sequence
from pathlib import Path

from trainables import load_model
from tune_jobs.engine.errors import RequestError


def predict_files(model_path: Path, images: Sequence[Path], top: int) -> None:
    """Print, for each image file, the most probable classes with their probabilities."""
    missing = [str(image) for image in images if not image.is_file()]
    if missing:
        raise RequestError(f"no such file: {', '.join(missing)}")
    try:
        model = load_model(model_path)
    except (FileNotFoundError, ValueError) as error:
        raise RequestError(str(error)) from error
    for image in images:
        try:
            [probabilities_K] = model.predict([image.read_bytes()])
        except ValueError as error:
            raise RequestError(f"{image}: {error}") from error
        best = probabilities_K.topk(min(top, len(model.card.class_names)))
        classes = "  ".join(
            f"{model.card.class_names[k]} {p:.4f}"
            for p, k in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        )
        print(f"{image}  {classes}")
