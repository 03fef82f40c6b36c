"""`python -m tune_jobs preflight`: would a run work there? A line for each thing that must hold."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tune_jobs.engine.errors import RequestError


def preflight(address: str | None, storage: str | None, dataset: str | None, data_dir: Path) -> int:
    """Print what is well, and what is not with its remedy -> exit status, 0 or 2."""
    from tune_jobs.engine.cluster.address import check_address
    from tune_jobs.engine.cluster.preflight import check_storage, check_token, check_versions
    from tune_jobs.engine.run_state.folder import open_place

    checks = [_check("token", check_token)]
    if dataset:
        checks.append(_check("data", lambda: _load(dataset, data_dir)))
    checks.append(_check("address", lambda: check_address(address)))
    with ExitStack() as stack:
        if all(checks) and _check("cluster", lambda: _connect(address, stack)):
            checks.append(_check("versions", check_versions))
            if storage:
                checks.append(_check("storage", lambda: check_storage(open_place(storage))))
        else:
            checks.append(False)
    return 0 if all(checks) else 2


def _check(name: str, check: Callable[[], str]) -> bool:
    """`check` says what it has found, or raises what is wrong."""
    try:
        found, verdict = check(), "ok"
    except RequestError as error:
        found, verdict = str(error), "WRONG"
    print(f"{verdict:6}{name:10}{found}".replace("\n", f"\n{'':16}"), flush=True)
    return verdict == "ok"


def _connect(address: str | None, stack: ExitStack) -> str:
    """Connect to Ray, until `stack` is closed, and return the cluster's size in words."""
    import ray

    from tune_jobs.engine.cluster.preflight import num_nodes
    from tune_jobs.engine.cluster.start import ray_cluster

    stack.enter_context(ray_cluster(address, verbose=False))
    have = ray.cluster_resources()
    return f"{num_nodes()} nodes, {have.get('CPU', 0):g} CPUs, {have.get('GPU', 0):g} GPUs"


def _load(dataset: str, data_dir: Path) -> str:
    from trainables.datasets import DatasetError, load_dataset

    try:
        data = load_dataset(dataset, data_dir=data_dir)
    except DatasetError as error:
        raise RequestError(str(error)) from error
    height, width, channels = data.images_NHWC.shape[1:]
    return f"{dataset}: {len(data.labels_N)} images of {height}x{width}x{channels}"
