"""What all trials share through Ray's object store: the data, its features, weights.

Features are computed once, in parallel over the cluster, and cached on the driver's disk by the
fingerprint of all that they depend on.
"""

import math
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ray

from trainables.config import ConfigError
from trainables.datasets import ImageData
from trainables.features import Features
from tune_jobs.engine.cluster.capacity import count_slots, find_lacking
from tune_jobs.engine.cluster.start import gpus_per_worker
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run.resources import Resources

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from trainables.datasets.feature_data import FeatureData
    from trainables.training.pretrained import Pretrained

CHUNKS_PER_SLOT = 4
LARGEST_CHUNK = 4096
"""Images; what a task returns must fit in memory several times over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Object references; `features` and `pretrained` are `None` where a job has none."""

    data: Any
    features: Any
    pretrained: Any
    resources: Resources


def resources_of(options: Options) -> Resources:
    """What a trial takes here. With `--gpus-per-trial auto` a whole GPU, until it is known."""
    return Resources(
        cpus=options.cpus_per_trial,
        gpus=gpus_per_worker(options.gpus_per_trial),
        workers=options.workers,
        max_parallel=options.max_parallel,
    )


def share(
    job: Job,
    data: ImageData,
    pretrained: "Pretrained | None",
    options: Options,
    distributions: Mapping[str, "BaseDistribution"],
    *,
    is_local: bool,
    say: Callable[[str], None],
) -> Shared:
    """Put everything into the object store, and find out what a trial takes.

    Args:
        is_local: Whether the cluster is this machine, which will not grow.
        say: Told what is waited for, how far the features are, and how many trials share a GPU.

    Raises:
        RequestError: The weights do not fit the network behind the features, or a trial this
            machine.
    """
    resources = resources_of(options)
    if lacking := find_lacking(resources):
        remedy = "see --cpus-per-trial, --gpus-per-trial and --workers-per-trial"
        if is_local:
            raise RequestError(f"{lacking}: {remedy}")
        say(f"{lacking}: waiting for nodes that have them ({remedy})")
    shared = share_data(job.features, data, pretrained, options, say)
    if options.gpus_per_trial == "auto" and resources.gpus:
        from tune_jobs.engine.cluster.gpu_packing import pack

        resources, why = pack(job, distributions, options.epochs, shared)
        say(why)
        return replace(shared, resources=resources)
    return shared


def share_data(
    spec: Features | None,
    data: ImageData,
    pretrained: "Pretrained | None",
    options: Options,
    say: Callable[[str], None],
) -> Shared:
    """Put everything into the object store, computing the features that are not in the cache.

    Args:
        say: Told how far the features are.

    Raises:
        RequestError: The weights do not fit the network behind the features.
    """
    resources = resources_of(options)
    data_ref = ray.put(data)
    pretrained_ref = pretrained and ray.put(pretrained)
    features_ref = None
    if spec is not None:
        from trainables.features.extract import fingerprint

        file = options.data_dir / "features" / f"{fingerprint(spec, data, pretrained)}.npz"
        features = read_features(file, spec)
        if features is None:
            features = _compute(spec, data, data_ref, pretrained, pretrained_ref, resources, say)
            write_features(file, features)
        features_ref = ray.put(features)
    return Shared(
        data=data_ref, features=features_ref, pretrained=pretrained_ref, resources=resources
    )


def _compute(
    spec: Features,
    data: ImageData,
    data_ref: Any,
    pretrained: "Pretrained | None",
    pretrained_ref: Any,
    resources: Resources,
    say: Callable[[str], None],
) -> "FeatureData":
    from trainables.features.extract import BLOCK, assemble, chunks

    images = sum(stop - start for _, start, stop in chunks(spec, data, LARGEST_CHUNK))
    size = math.ceil(images / (count_slots(resources) * CHUNKS_PER_SLOT * BLOCK)) * BLOCK
    work = list(chunks(spec, data, min(size, LARGEST_CHUNK)))
    task = ray.remote(_describe).options(num_cpus=resources.cpus, num_gpus=resources.gpus)
    pending = {
        task.remote(chunk, spec, data_ref, pretrained_ref, resources.gpus): chunk for chunk in work
    }
    described = {}
    try:
        while pending:
            [done], _ = ray.wait(list(pending), num_returns=1)
            described[pending.pop(done)] = ray.get(done)
            say(f"features: {len(described)} of {len(work)} chunks")
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ConfigError):
            raise RequestError(str(error.cause)) from error
        raise
    return assemble(described, spec, data, pretrained)


def _describe(
    chunk: tuple[int, int, int],
    spec: Features,
    data: ImageData,
    pretrained: "Pretrained | None",
    gpus: float,
) -> Any:
    from trainables.features.extract import describe_chunk
    from trainables.training.device import prepare_process

    prepare_process(gpus)
    return describe_chunk(chunk, spec, data, pretrained)


def write_features(file: Path, features: "FeatureData") -> None:
    """Written under a temporary name and renamed: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.stem}.{os.getpid()}.npz")
    arrays = {f"array_{name}": array for name, array in features.arrays.items()}
    np.savez(
        temporary,
        plain_ND=features.plain_ND,
        views_VTD=features.views_VTD,
        **arrays,  # type: ignore[arg-type]
    )
    temporary.replace(file)


def read_features(file: Path, spec: Features) -> "FeatureData | None":
    """What an earlier run has computed; `None` where there is nothing, or it is damaged."""
    from trainables.datasets.feature_data import FeatureData

    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
    return FeatureData(
        plain_ND=arrays.pop("plain_ND"),
        views_VTD=arrays.pop("views_VTD"),
        spec=spec,
        arrays={name.removeprefix("array_"): array for name, array in arrays.items()},
        fingerprint=file.stem,
    )
