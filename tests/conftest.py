"""What tests of several packages need."""

from collections.abc import Iterator

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """A bucket of a real S3 server, which is started here -> the URI of a prefix in it."""
    from moto.server import ThreadedMotoServer
    from pyarrow.fs import S3FileSystem

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        address = f"{host}:{port}"
        store = S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
        store.create_dir("bucket")
        yield f"s3://bucket/runs?endpoint_override={address}&scheme=http"
    server.stop()
