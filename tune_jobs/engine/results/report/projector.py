"""TensorBoard's Projector: what the winner's last layer before the classifier says of test images.

The features are those that the retraining kept (`embeddings.npy`); without them, no tab.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from trainables.datasets import ImageData
from trainables.predictions import EMBEDDINGS
from tune_jobs.engine.results.report.findings import Finding
from tune_jobs.engine.run_folder import RunFolder

SPRITE_SIDE = 32

CONFIG = """embeddings {{
  tensor_name: "{name}"
  tensor_path: "embeddings.tsv"
  metadata_path: "metadata.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
}}
"""


def write_projector(finding: Finding, data: ImageData, folder: RunFolder) -> None:
    """Beside the winner's pictures: vectors and labels as TSV, thumbnails as one sprite."""
    try:
        kept = folder.checkpoints.child(finding.names[finding.best]).read(EMBEDDINGS)
    except FileNotFoundError:
        return
    vectors_ND = np.load(io.BytesIO(kept), allow_pickle=False)
    target = folder.tensorboard / "winner"
    target.mkdir(exist_ok=True)
    predictions = finding.chosen
    names = [name.replace("\t", " ") for name in data.class_names]
    lines = ["correct\tpredicted\tlabel"]
    for label, predicted in zip(
        predictions.labels_N[: len(vectors_ND)],
        predictions.predicted_N[: len(vectors_ND)],
        strict=True,
    ):
        correct = "yes" if label == predicted else "no"
        lines.append(f"{correct}\t{names[predicted]}\t{names[label]}")
    np.savetxt(target / "embeddings.tsv", vectors_ND, fmt="%.5g", delimiter="\t")
    (target / "metadata.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_sprite(data, predictions.indices_N[: len(vectors_ND)].tolist(), target / "sprite.png")
    name = f"{finding.title}: last layer before the classifier"
    (target / "projector_config.pbtxt").write_text(CONFIG.format(name=name, side=SPRITE_SIDE))


def _write_sprite(data: ImageData, indices: list[int], path: Path) -> None:
    """Thumbnails row by row in a square, as the Projector wants them."""
    across = int(np.ceil(np.sqrt(len(indices))))
    sprite = Image.new("RGB", (across * SPRITE_SIDE, across * SPRITE_SIDE))
    for place, index in enumerate(indices):
        image_HWC = data.images_NHWC[index]
        picture = Image.fromarray(image_HWC[..., 0] if data.num_channels == 1 else image_HWC)
        at = place % across * SPRITE_SIDE, place // across * SPRITE_SIDE
        sprite.paste(picture.convert("RGB").resize((SPRITE_SIDE, SPRITE_SIDE)), at)
    sprite.save(path)
