"""Share the data, its features and pretrained weights with all trials of a cluster.

Features that a job gives all its trials are computed before the first one, in parallel over the
cluster, and kept on the driver's disk.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray

from trainables.config import ConfigError
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
    data: ImageData,
    reduced: Mapping[int, ImageData],
    pretrained: "Pretrained | None",
    options: Options,
    resources: Resources,
    say: Callable[[str], None],
) -> "SharedInputs":
    """Share what all trials are given; return what leads to the `TrialInputs`.

    Features that are not in the cache are computed first. What is fitted for them is fitted for
    each fold anew, so that it has not seen the images that the fold validates on.

    Args:
        spec: The features of trials whose configuration names none.
        reduced: The data again with smaller images, by their side.
        say: Shows how far the features are.

    Raises:
        RequestError: The weights do not fit the network behind the features.
    """
    from trainables.trials.inputs import TrialInputs
    from trainables.worker.shared import SharedInputs

    def give(data: ImageData, reduced: Mapping[int, ImageData]) -> TrialInputs:
        inputs = TrialInputs(
            data=data, reduced=reduced, pretrained=pretrained, features_folder=folder
        )
        if spec is None:
            return inputs
        return replace(inputs, features=_load_features(spec, inputs, resources, say))

    folder = options.data_dir.resolve() / "features"

    folds = tuple(
        give(data.in_fold(number), {side: small.in_fold(number) for side, small in reduced.items()})
        for number in range(len(data.folds))
    )
    return SharedInputs.put(replace(folds[0] if folds else give(data, reduced), folds=folds))


def _load_features(
    spec: Features, inputs: "TrialInputs", resources: Resources, say: Callable[[str], None]
) -> "FeatureData":
    from trainables.features.store import file_of, read_features, write_features

    assert inputs.features_folder
    file = file_of(inputs.features_folder, spec, inputs.data, inputs.pretrained)
    features = read_features(file, spec)
    if features is None:
        features = _compute(spec, inputs, resources, say)
        write_features(file, features)
    return features


def _compute(
    spec: Features, inputs: "TrialInputs", resources: Resources, say: Callable[[str], None]
) -> "FeatureData":
    from trainables.features.extract import BLOCK, assemble, chunks
    from trainables.worker.shared import SharedInputs

    data, shared = inputs.data, SharedInputs.put(inputs)
    images = sum(stop - start for _, start, stop in chunks(spec, data, LARGEST_CHUNK))
    most = math.ceil(images / (count_slots(resources) * CHUNKS_PER_SLOT * BLOCK)) * BLOCK
    work = list(chunks(spec, data, min(most, LARGEST_CHUNK)))
    task = ray.remote(_describe).options(num_cpus=resources.cpus, num_gpus=resources.gpus)
    pending = {task.remote(chunk, spec, shared, resources.gpus): chunk for chunk in work}
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
    shared: "SharedInputs",
    gpus: float,
) -> tuple[Any, float]:
    """Return the descriptors of a chunk, and the seconds that they took."""
    from trainables.features.extract import describe_chunk
    from trainables.training.device import prepare_process

    prepare_process(gpus)
    inputs = shared.fetch()
    started = time.perf_counter()
    described = describe_chunk(chunk, spec, inputs.data, inputs.pretrained)
    return described, time.perf_counter() - started
