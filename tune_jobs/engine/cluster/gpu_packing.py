"""Find how many trials one GPU holds, before the first of them begins (`--gpus-per-trial auto`)."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from trainables.config import ConfigError, Configuration
from trainables.training.device import CONTEXT_BYTES
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.run_state.resources import Resources
from tune_jobs.engine.search.space import replay

if TYPE_CHECKING:
    from trainables.worker.shared import SharedInputs

MARGIN = 1.1
"""A factor on the memory that was measured, for fragmentation and a library that picks another
algorithm."""

GRANULE = 10_000  # Ray counts GPUs in 1/10,000


def trials_per_gpu(
    *, need_bytes: int, device_bytes: int, cpus_per_gpu: float, cpus_per_trial: float
) -> int:
    """Return how many trials the GPU's memory and the CPUs beside it allow; at least one."""
    by_memory = device_bytes / (need_bytes * MARGIN + CONTEXT_BYTES)
    by_cpus = cpus_per_gpu / cpus_per_trial if cpus_per_trial else math.inf
    return max(1, int(min(by_memory, by_cpus, GRANULE)))


def share_of(trials: int) -> float:
    """Return each trial's share of a GPU, rounded down to what Ray can count, so that all fit."""
    return GRANULE // trials / GRANULE


def largest_configurations(
    job: Job, distributions: Mapping[str, BaseDistribution], epochs: int
) -> list[Configuration]:
    """Return the published configurations, and what the space gives with all its numbers at their
    largest, for each architecture that it suggests.

    Raises:
        ValueError: The space does not take its largest values together.
    """
    named = distributions.get("architecture")
    architectures = named.choices if isinstance(named, CategoricalDistribution) else [None]
    largest = {name: _largest(distribution) for name, distribution in distributions.items()}
    found = [dict(published.config) for published in job.published]
    for architecture in architectures:
        wanted = {**largest, **({"architecture": architecture} if architecture else {})}
        given = replay(job.space, wanted)
        if given.moved:
            raise ValueError(f"the space does not hold them together: {', '.join(given.moved)}")
        found.append(given.flat)
    return [{"architecture": job.architecture, **config, "epochs": epochs} for config in found]


def _largest(distribution: Any) -> Any:
    if not isinstance(distribution, CategoricalDistribution):
        return distribution.high
    numbers = [c for c in distribution.choices if isinstance(c, (int, float))]
    return max(numbers, default=distribution.choices[0])


def pack(
    job: Job,
    distributions: Mapping[str, BaseDistribution],
    epochs: int,
    inputs: "SharedInputs",
    resources: Resources,
) -> tuple[Resources, str]:
    """Measure the largest configurations on a GPU; return what a trial takes with its share of one,
    and why it is that share.

    Args:
        inputs: Leads to the `TrialInputs`.

    Raises:
        RequestError: A configuration, or the GPU, cannot be used.
    """
    try:
        configs = largest_configurations(job, distributions, epochs)
    except ValueError as error:
        return resources, f"a whole GPU for each trial: the largest one is not known: {error}"
    task = ray.remote(_measure).options(num_cpus=resources.cpus, num_gpus=resources.gpus)
    try:
        need_bytes, device_bytes = ray.get(task.remote(configs, inputs))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ConfigError):
            raise RequestError(
                "--gpus-per-trial = 'auto': what the space's largest configuration takes cannot be "
                f"measured: {error.cause}; give a number"
            ) from error
        raise
    trials = trials_per_gpu(
        need_bytes=need_bytes,
        device_bytes=device_bytes,
        cpus_per_gpu=cpus_per_gpu([node["Resources"] for node in ray.nodes() if node["Alive"]]),
        cpus_per_trial=resources.cpus,
    )
    why = f"{trials} trials a GPU: the largest takes {need_bytes / 2**30:.1f} of "
    return replace(resources, gpus=share_of(trials)), f"{why}{device_bytes / 2**30:.1f} GiB"


def cpus_per_gpu(nodes: list[dict[str, float]]) -> float:
    """Return the fewest CPUs per GPU of the nodes that have GPUs; `nodes` are their resources."""
    return min(node.get("CPU", 0.0) / node["GPU"] for node in nodes if node.get("GPU"))


def _measure(configs: list[Configuration], inputs: "SharedInputs") -> tuple[int, int]:
    """Return (bytes that the largest takes, bytes of the GPU), in fp32, which takes the most."""
    from trainables.config import Runtime
    from trainables.training.device import prepare_process
    from trainables.worker.gpu_memory import device_bytes, measure_need

    prepare_process()
    return measure_need(configs, inputs.fetch(), Runtime(device="cuda")), device_bytes()
