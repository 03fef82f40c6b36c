"""Keep features in a folder, by the fingerprint of all that they depend on."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from trainables.config.features import Features
from trainables.datasets import ImageData
from trainables.datasets.feature_data import FeatureData
from trainables.features.extract import describe_all, fingerprint
from trainables.storage.errors import naming
from trainables.storage.lock import one_at_a_time
from trainables.training.pretrained import Pretrained


def file_of(folder: Path, spec: Features, data: ImageData, pretrained: Pretrained | None) -> Path:
    """Return the file in which the features are kept, once they are computed."""
    return folder / f"{fingerprint(spec, data, pretrained)}.npz"


def load_features(
    folder: Path, spec: Features, data: ImageData, pretrained: Pretrained | None
) -> FeatureData:
    """Read features, or compute them in this process and keep them.

    Where processes of a machine need them at once, one computes them, and the others wait.

    Raises:
        ConfigError: The weights do not fit the network behind them, or images are too small.
    """
    file = file_of(folder, spec, data, pretrained)
    if features := read_features(file, spec):
        return features
    with one_at_a_time(file.with_suffix(".lock")):
        if features := read_features(file, spec):
            return features
        started = time.perf_counter()
        features = describe_all(spec, data, pretrained)
        features = replace(features, seconds=time.perf_counter() - started)
        write_features(file, features)
    return features


def write_features(file: Path, features: FeatureData) -> None:
    """Write features under a temporary name and rename the file: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    arrays = {f"array_{name}": array for name, array in features.arrays.items()}
    if features.seconds is not None:
        arrays["seconds"] = np.array(features.seconds)
    try:
        with naming(file):
            np.savez(
                temporary,
                plain_ND=features.plain_ND,
                views_VTD=features.views_VTD,
                **arrays,  # type: ignore[arg-type]
            )
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)  # it may be what has filled the disk


def read_features(file: Path, spec: Features) -> FeatureData | None:
    """Read what an earlier run has computed; return `None` if that is missing or damaged."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            arrays = dict(stored)
        return FeatureData(
            plain_ND=arrays.pop("plain_ND"),
            views_VTD=arrays.pop("views_VTD"),
            spec=spec,
            arrays={
                name.removeprefix("array_"): array
                for name, array in arrays.items()
                if name.startswith("array_")
            },
            fingerprint=file.stem,
            seconds=float(arrays["seconds"]) if "seconds" in arrays else None,
        )
    except Exception as error:  # damaged bytes raise anything
        print(f"warning: {file} is damaged, and made again: {error!r}", file=sys.stderr)
        return None
