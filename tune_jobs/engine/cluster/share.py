"""Share the data, its features and pretrained weights with all trials of a cluster.

Features are computed once, in parallel over the cluster, and cached on the driver's disk by the
fingerprint of all that they depend on.
"""

import math
import os
import sys
import time
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ray

from trainables.config import ConfigError
from trainables.config.features import NAMED
from trainables.datasets import ImageData
from trainables.features import Features
from tune_jobs.engine.cluster.capacity import count_slots, find_lacking
from tune_jobs.engine.cluster.start import gpus_per_worker
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.resources import Resources

if TYPE_CHECKING:
    from trainables.datasets.feature_data import FeatureData
    from trainables.training.pretrained import Pretrained
    from trainables.trials.inputs import TrialInputs
    from trainables.worker.shared import SharedInputs

CHUNKS_PER_SLOT = 4
"""Several chunks per slot keep a fast slot busy while a slow one still computes."""

LARGEST_CHUNK = 4096
"""The most images in a chunk: what a task returns must fit in memory several times over."""


def resources_of(options: Options) -> Resources:
    """Return what a trial takes; for `--gpus-per-trial auto`, a whole GPU until that is known."""
    return Resources(
        cpus=options.cpus_per_trial,
        gpus=gpus_per_worker(options.gpus_per_trial),
        workers=options.workers,
        max_parallel=options.max_parallel,
    )


def check_resources(resources: Resources, *, is_local: bool, say: Callable[[str], None]) -> None:
    """Check that the cluster has, or may come to have, what a trial takes.

    Args:
        is_local: Whether the cluster is this machine, which will not grow.
        say: Shows what is waited for.

    Raises:
        RequestError: A trial takes more than this machine has.
    """
    if lacking := find_lacking(resources):
        remedy = "see --cpus-per-trial, --gpus-per-trial and --workers-per-trial"
        if is_local:
            raise RequestError(f"{lacking}: {remedy}")
        say(f"{lacking}: waiting for nodes that have them ({remedy})")


def share_inputs(
    spec: Features | None,
    named: Collection[tuple[int | None, str]],
    data: ImageData,
    reduced: Mapping[int, ImageData],
    pretrained: "Pretrained | None",
    options: Options,
    resources: Resources,
    say: Callable[[str], None],
) -> "SharedInputs":
    """Share what all trials are given; return what leads to the `TrialInputs`.

    Features that are not in the cache are computed first, for each fold anew: what is fitted for
    them has not seen the images that the fold validates on.

    Args:
        spec: The features of trials whose configuration names none.
        named: The names of features that configurations may have, with the side to which images
            are reduced for them.
        reduced: The data again with smaller images, by their side.
        say: Shows how far the features are.

    Raises:
        RequestError: The weights do not fit the network behind the features.
    """
    from trainables.trials.inputs import TrialInputs
    from trainables.worker.shared import SharedInputs

    def give(data: ImageData, reduced: Mapping[int, ImageData]) -> TrialInputs:
        inputs = TrialInputs(data=data, reduced=reduced, pretrained=pretrained)
        if spec is None and not named:
            return inputs
        shared = SharedInputs.put(inputs)
        load = partial(_load_features, inputs, shared, options.data_dir, resources, say)
        return replace(
            inputs,
            features=load(spec, None) if spec else None,
            named={(size, name): load(NAMED[name], size) for size, name in named},
        )

    folds = tuple(
        give(data.in_fold(number), {side: small.in_fold(number) for side, small in reduced.items()})
        for number in range(len(data.folds))
    )
    return SharedInputs.put(replace(folds[0] if folds else give(data, reduced), folds=folds))


def _load_features(
    inputs: "TrialInputs",
    shared: "SharedInputs",
    data_dir: Path,
    resources: Resources,
    say: Callable[[str], None],
    spec: Features,
    size: int | None,
) -> "FeatureData":
    from trainables.features.extract import fingerprint

    name = fingerprint(spec, inputs.of_size(size), inputs.pretrained)
    file = data_dir / "features" / f"{name}.npz"
    features = read_features(file, spec)
    if features is None:
        features = _compute(spec, size, inputs, shared, resources, say)
        write_features(file, features)
    return features


def _compute(
    spec: Features,
    size: int | None,
    inputs: "TrialInputs",
    shared: "SharedInputs",
    resources: Resources,
    say: Callable[[str], None],
) -> "FeatureData":
    from trainables.features.extract import BLOCK, assemble, chunks

    data = inputs.of_size(size)
    images = sum(stop - start for _, start, stop in chunks(spec, data, LARGEST_CHUNK))
    most = math.ceil(images / (count_slots(resources) * CHUNKS_PER_SLOT * BLOCK)) * BLOCK
    work = list(chunks(spec, data, min(most, LARGEST_CHUNK)))
    task = ray.remote(_describe).options(num_cpus=resources.cpus, num_gpus=resources.gpus)
    pending = {task.remote(chunk, spec, size, shared, resources.gpus): chunk for chunk in work}
    described, seconds = {}, 0.0
    try:
        while pending:
            [done], _ = ray.wait(list(pending), num_returns=1)
            described[pending.pop(done)], taken = ray.get(done)
            seconds += taken
            say(f"features, {spec.kind}: {len(described)} of {len(work)} chunks")
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ConfigError):
            raise RequestError(str(error.cause)) from error
        raise
    started = time.perf_counter()
    features = assemble(described, spec, data, inputs.pretrained)
    return replace(features, seconds=seconds + time.perf_counter() - started)


def _describe(
    chunk: tuple[int, int, int],
    spec: Features,
    size: int | None,
    shared: "SharedInputs",
    gpus: float,
) -> tuple[Any, float]:
    """Return the descriptors of a chunk, and the seconds that they took."""
    from trainables.features.extract import describe_chunk
    from trainables.training.device import prepare_process

    prepare_process(gpus)
    inputs = shared.fetch()
    started = time.perf_counter()
    described = describe_chunk(chunk, spec, inputs.of_size(size), inputs.pretrained)
    return described, time.perf_counter() - started


def write_features(file: Path, features: "FeatureData") -> None:
    """Write features under a temporary name and rename the file: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    arrays = {f"array_{name}": array for name, array in features.arrays.items()}
    if features.seconds is not None:
        arrays["seconds"] = np.array(features.seconds)
    np.savez(
        temporary,
        plain_ND=features.plain_ND,
        views_VTD=features.views_VTD,
        **arrays,  # type: ignore[arg-type]
    )
    temporary.replace(file)


def read_features(file: Path, spec: Features) -> "FeatureData | None":
    """Read what an earlier run has computed; return `None` if that is missing or damaged."""
    from trainables.datasets.feature_data import FeatureData

    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"warning: {file} is damaged, and made again: {error}", file=sys.stderr)
        return None
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
