"""Where a run cannot have its Ray, it is said before anything is loaded: exit status 2."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ray._private import services

from tune_jobs.engine.cluster.address import (
    check_address,
    check_home,
    check_temporary_folder,
)
from tune_jobs.engine.cluster.start import _refused
from tune_jobs.engine.errors import RequestError


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed() -> str:
    """An address at which nothing listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_what_answers_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert check_address(address) == address


def test_nothing_given_is_local() -> None:
    assert check_address(None) == check_address("local") == "local"


@pytest.mark.parametrize(
    "address", ["nonsense", "host:", ":6379", "host:port", "ray://host:10001", "http://host:8265"]
)
def test_nonsense(address: str) -> None:
    with pytest.raises(RequestError, match=f"--address = '{address}': must be auto, local or HOST"):
        check_address(address)


def test_an_address_too_high_for_a_port() -> None:
    with pytest.raises(RequestError, match=r"nothing answers at 127\.0\.0\.1:66000"):
        check_address("127.0.0.1:66000")


def test_auto_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray looks at all processes of the machine, which may have somebody else's Ray."""

    def find_none(address: str) -> str:
        raise ConnectionError("Could not find any running Ray instance")

    monkeypatch.setattr(services, "canonicalize_bootstrap_address", find_none)
    with pytest.raises(RequestError, match="--address = 'auto': no Ray runs on this machine"):
        check_address("auto")
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(RequestError, match="RAY_ADDRESS = 'auto': no Ray runs on this machine"):
        check_address(None)


def test_auto_with_a_cluster_that_has_gone(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    monkeypatch.setattr(services, "canonicalize_bootstrap_address", lambda _: closed)
    with pytest.raises(RequestError, match=f"'auto': nothing answers at {closed}"):
        check_address("auto")


def test_a_run_says_which_variable_was_stale(closed: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tune_jobs.digits_cnn", "--storage", str(tmp_path / "runs")],
        env={**os.environ, "RAY_ADDRESS": closed},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: RAY_ADDRESS = '{closed}': nothing answers")
    assert not (tmp_path / "runs").exists(), "a request that was refused leaves nothing behind"


def test_a_cluster_that_does_not_let_it_in() -> None:
    with (
        pytest.raises(RequestError, match=r"Ray cannot connect \(Failed\).*RAY_AUTH_MODE=token"),
        _refused("127.0.0.1:1"),
    ):
        raise ConnectionError("Failed")


def test_a_folder_too_deep_for_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(deep))
    with pytest.raises(
        RequestError, match=r"RAY_TMPDIR = .*too long by \d+ bytes .*set RAY_TMPDIR"
    ):
        check_temporary_folder()


def test_the_longest_folder_is_that_of_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more is refused by Ray's own check, and one less is not."""
    from ray._private.utils import validate_socket_filepath

    session = f"/ray/session_2026-01-31_12-59-59_999999_{os.getpid()}/sockets/plasma_store"
    folder = "/" + "x" * (107 - len(session) - 1)
    validate_socket_filepath(folder + session)
    with pytest.raises(OSError, match="AF_UNIX"):
        validate_socket_filepath(folder + "x" + session)
    monkeypatch.setenv("RAY_TMPDIR", folder + "x")
    with pytest.raises(RequestError, match="too long by 1 bytes"):
        check_temporary_folder()
    monkeypatch.setenv("RAY_TMPDIR", folder)
    with pytest.raises(RequestError, match="cannot be written"):  # it is not there
        check_temporary_folder()


def test_a_folder_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/proc/none")
    with pytest.raises(RequestError, match=re.escape("RAY_TMPDIR = '/proc/none'")):
        check_address(None)


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/none")
    with pytest.raises(RequestError, match=r"HOME = '/proc/none': .*set HOME .*RAY_AUTH_TOKEN"):
        check_address(None)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-secret")
    check_home()
