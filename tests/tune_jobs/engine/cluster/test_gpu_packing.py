"""How many trials share a GPU: the arithmetic, and what is measured for it."""

from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution

from searchspaces.joined import JoinedSpace
from trainables.training.device import CONTEXT_BYTES, memory_fraction
from tune_jobs.engine.cluster.gpu_packing import (
    MARGIN,
    cpus_per_gpu,
    largest_configurations,
    share_of,
    trials_per_gpu,
)
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.search.space import sample_space

GIB = 2**30


@pytest.mark.parametrize(
    ("need_gib", "device_gib", "cpus", "cpus_per_trial", "expected"),
    [
        (9, 80, 16, 1, 7),  # 9 * 1.1 + 1 = 10.9
        (9, 80, 16, 4, 4),  # the CPUs beside the GPU are fewer
        (9, 80, 2, 4, 1),
        (70, 80, 16, 1, 1),
        (90, 80, 16, 1, 1),
        (0, 80, 16, 1, 16),  # estimators
        (0, 80, 16, 0, 80),  # no CPU is asked for: a context each
        (9, 80, 16, 0.5, 7),
    ],
)
def test_as_many_as_memory_and_cpus_allow(
    need_gib: int, device_gib: int, cpus: int, cpus_per_trial: float, expected: int
) -> None:
    found = trials_per_gpu(
        need_bytes=need_gib * GIB,
        device_bytes=device_gib * GIB,
        cpus_per_gpu=cpus,
        cpus_per_trial=cpus_per_trial,
    )
    assert found == expected


@pytest.mark.parametrize(("trials", "share"), [(1, 1.0), (3, 0.3333), (7, 0.1428), (16, 0.0625)])
def test_shares_are_rounded_down_to_what_ray_counts(trials: int, share: float) -> None:
    assert share_of(trials) == share
    assert trials * share_of(trials) <= 1


@pytest.mark.parametrize("trials", range(1, 40))
def test_what_was_measured_fits_into_the_share(trials: int) -> None:
    """Contexts and all: neither does a trial lack memory, nor do all of them exceed the GPU."""
    device_bytes = 80 * GIB
    need_bytes = (device_bytes / trials - CONTEXT_BYTES) / MARGIN
    share = share_of(
        trials_per_gpu(
            need_bytes=int(need_bytes),
            device_bytes=device_bytes,
            cpus_per_gpu=trials,
            cpus_per_trial=1,
        )
    )
    allowed = memory_fraction(share, device_bytes) * device_bytes
    assert allowed >= need_bytes
    assert (allowed + CONTEXT_BYTES) / share <= device_bytes * 1.0001


def test_a_small_share_is_not_used_up_by_the_context() -> None:
    assert memory_fraction(0.05, 16 * GIB) == 0.025


def test_the_gpu_with_the_fewest_cpus_counts() -> None:
    nodes = [{"CPU": 64.0}, {"CPU": 32.0, "GPU": 4.0}, {"CPU": 48.0, "GPU": 1.0}]
    assert cpus_per_gpu(nodes) == 8


def space(trial: optuna.Trial) -> dict[str, Any]:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_int("width", 8, 40, step=8)
    trial.suggest_categorical("batch_size", (64, 256, 128))
    if trial.suggest_categorical("architecture", ("a", "b")) == "b":
        trial.suggest_categorical("norm", ("none", "batch"))
        trial.suggest_categorical("dense", (True, False))
    return {"epochs_of_warmup": 2}


def test_the_largest_configurations() -> None:
    job = Job(
        name="job",
        dataset="digits",
        architecture="a",
        space=space,
        trials=1,
        epochs=3,
        published=(Published(name="1", config={"batch_size": 512}),),
    )
    largest = {"lr": 0.1, "width": 40, "batch_size": 256, "epochs_of_warmup": 2, "epochs": 3}
    assert largest_configurations(job, sample_space(space).distributions, 3) == [
        {"architecture": "a", "batch_size": 512, "epochs": 3},
        {"architecture": "a", **largest},
        {"architecture": "b", "norm": "none", "dense": True, **largest},
    ]


def narrow(trial: optuna.Trial) -> None:
    trial.suggest_int("width", 8, 16)


def wide(trial: optuna.Trial) -> None:
    trial.suggest_int("width", 8, 64)


def test_each_architecture_of_a_joined_space_has_its_own_largest() -> None:
    joined = JoinedSpace({"a": narrow, "b": wide})
    job = Job(name="job", dataset="digits", architecture="a", space=joined, trials=1, epochs=3)
    assert largest_configurations(job, sample_space(joined).distributions, 3) == [
        {"architecture": "a", "width": 16, "epochs": 3},
        {"architecture": "b", "width": 64, "epochs": 3},
    ]


def narrow_where_deep(trial: optuna.Trial) -> None:
    depth = trial.suggest_int("depth", 1, 2)
    trial.suggest_int("width", 8, 16 if depth == 2 else 64)


def test_of_one_architecture_what_the_space_does_not_hold_together_is_told() -> None:
    job = Job(name="job", dataset="digits", architecture="a", space=narrow, trials=1, epochs=3)
    assert largest_configurations(job, sample_space(narrow).distributions, 3) == [
        {"architecture": "a", "width": 16, "epochs": 3}
    ]
    distributions = {"depth": IntDistribution(1, 2), "width": IntDistribution(8, 64)}
    with pytest.raises(ValueError, match="the space does not hold them together: width"):
        largest_configurations(replace(job, space=narrow_where_deep), distributions, 3)
