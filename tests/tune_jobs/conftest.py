"""One Ray for all tests that do not test how a run starts and stops its own."""

from collections.abc import Iterator

import pytest

from tests.conftest import CREDENTIALS
from tune_jobs.engine.cluster.start import ray_cluster


@pytest.fixture(scope="session")
def one_ray() -> Iterator[str]:
    """-> its address. This process is connected to it, and its workers may use the S3 server."""
    import ray

    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        with ray_cluster(None, verbose=False):
            yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="module")
def on_one_ray(one_ray: str) -> Iterator[None]:
    """For a module's tests: commands that they start find it too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_ADDRESS", one_ray)
        yield
