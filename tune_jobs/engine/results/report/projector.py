"""TensorBoard's Projector: what a configuration's layers make of test images.

The features are those that the retraining kept; without them, no tab.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from trainables.datasets import ImageData
from tune_jobs.engine.results.report.findings import Finding

SPRITE_SIDE = 32

CONFIG = """embeddings {{
  tensor_name: "{title}: {layer} layer"
  tensor_path: "{layer}.tsv"
  metadata_path: "metadata.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
}}
"""


def write_projector(finding: Finding, data: ImageData, target: Path) -> None:
    """Write what TensorBoard's projector reads, beside a finding's pictures: vectors of each layer
    and labels as TSV, thumbnails as one sprite."""
    embeddings = finding.embeddings
    if embeddings is None:
        return
    positions_N = embeddings.positions_N
    predictions = finding.chosen
    names = [name.replace("\t", " ") for name in data.class_names]
    lines = ["label\tpredicted\tcorrect"]
    for label, predicted in zip(
        predictions.labels_N[positions_N], predictions.predicted_N[positions_N], strict=True
    ):
        correct = "yes" if label == predicted else "no"
        lines.append(f"{names[label]}\t{names[predicted]}\t{correct}")
    (target / "metadata.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_sprite(data, predictions.indices_N[positions_N].tolist(), target / "sprite.png")
    config = ""
    for layer, vectors_ND in embeddings.by_layer.items():
        np.savetxt(target / f"{layer}.tsv", vectors_ND, fmt="%.5g", delimiter="\t")
        config += CONFIG.format(title=finding.title, layer=layer, side=SPRITE_SIDE)
    (target / "projector_config.pbtxt").write_text(config)


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
