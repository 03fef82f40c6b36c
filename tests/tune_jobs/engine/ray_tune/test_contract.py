"""All that is used of Ray beside its public interface. Another version of Ray fails here first.

`tune_jobs/engine/ray_tune/` and `tune_jobs/engine/cluster/start.py` say what each thing is for.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune
from ray._private import ray_constants, services
from ray.air._internal import usage
from ray.tune.execution import class_cache
from ray.tune.schedulers import FIFOScheduler

from tune_jobs.engine.cluster.start import (
    AHEAD,
    LOG_MONITOR,
    NOT_NEEDED,
    PATIENT,
    QUIET,
    SPANS_MACHINES,
)
from tune_jobs.engine.ray_tune.controller import loop_of, quick_start
from tune_jobs.engine.ray_tune.failures import DEATHS, LOW_ON_MEMORY, NODE_DEATHS

TESTED = "2.60"
RAY = Path(ray.__file__).parent
BINARIES = ("_raylet.so", "core/src/ray/raylet/raylet", "core/src/ray/gcs/gcs_server")

LOOPS_SETS = ("_stopped_trials", "_failed_trials", "_live_trials", "_trials_to_cache")


class Looking(FIFOScheduler):  # type: ignore[misc]
    """Keeps what Ray shows a scheduler, while a trial runs."""

    seen: list[Any] = []  # noqa: RUF012 (Ray copies its scheduler)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        self.seen.append(tune_controller)


def report_once(config: dict[str, Any]) -> None:
    tune.report({"value": 1.0})


@pytest.fixture(scope="module")
def shown(one_ray: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a scheduler is shown of Ray Tune's loop."""
    folder = tmp_path_factory.mktemp("contract")
    tune.Tuner(
        report_once,
        tune_config=tune.TuneConfig(scheduler=Looking()),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
    ).fit()
    [controller] = Looking.seen
    return controller


def missing(words: Iterable[str], files: Iterable[Path]) -> list[str]:
    content = b"".join(file.read_bytes() for file in files)
    return [word for word in words if word.encode() not in content]


def test_this_is_the_version_that_was_tested() -> None:
    assert version("ray").startswith(f"{TESTED}."), (
        f"Ray {version('ray')} is not {TESTED}: if all tests here pass, and `make faults` and "
        "`make cluster` do, raise TESTED and the bounds in pyproject.toml"
    )


def test_the_loop_stands_behind_its_guard(shown: Any) -> None:
    assert type(shown).__name__ == "TrialRunnerWrapper", "the guard has gone: use what replaced it"
    loop = loop_of(shown)
    assert type(loop).__name__ == "TuneController", "get_trials no longer leads to the loop"


def test_the_loop_has_the_private_parts_that_are_used(shown: Any) -> None:
    loop = loop_of(shown)
    assert isinstance(loop._trials, list), "forget_ended: _trials is no list any more"
    for name in LOOPS_SETS:
        assert isinstance(getattr(loop, name, None), set), (
            f"forget_ended: {name} is no set any more"
        )
    assert isinstance(loop._trial_to_actor, dict), "find_unstarted: _trial_to_actor"
    assert list(loop._actor_manager.live_actors) == [], "find_unstarted: live_actors"
    assert callable(loop.update_max_pending_trials), "allow_pending: update_max_pending_trials"
    assert callable(loop._actor_cache.increase_max), "keep_processes: _actor_cache.increase_max"
    [trial] = loop.get_trials()
    assert {trial.PENDING, trial.status, trial.TERMINATED} == {"PENDING", "TERMINATED"}
    assert trial.error_file is None, "BridgeScheduler.on_trial_error reads error_file"


def test_ray_adds_its_printing_callback_only_where_there_is_none() -> None:
    source = (RAY / "tune" / "utils" / "callback.py").read_text()
    assert "has_trial_progress_callback" in source, (
        "StartCallback stands in for TrialProgressCallback, which Ray would add: how does it now?"
    )


def test_what_quick_start_changes_is_what_ray_tune_uses() -> None:
    before, tag = dict(class_cache.DEFAULT_ENV_VARS), usage.tag_callbacks
    assert before, "Ray Tune asks for no environment variable any more: quick_start clears them"
    with quick_start():
        kept = class_cache._ActorClassCache().get(type("Trial", (), {}))
        environment = kept._default_options["runtime_env"].get("env_vars", {})
        assert not environment.keys() & before.keys()
    assert (class_cache.DEFAULT_ENV_VARS, usage.tag_callbacks) == (before, tag)
    source = (RAY / "tune" / "tune.py").read_text()
    assert "air_usage.tag_callbacks(callbacks)" in source, "quick_start: usage.tag_callbacks"


def test_the_processes_that_are_left_out_are_started_by_methods_of_the_node() -> None:
    source = (RAY / "_private" / "node.py").read_text()
    for name in (*NOT_NEEDED, LOG_MONITOR):
        assert f"self.{name}(" in source, f"_few_processes: {name}"


def test_ray_knows_the_environment_that_keeps_it_quiet() -> None:
    files = [*(RAY / "tune").rglob("*.py"), *(RAY / "_common").rglob("*.py")]
    assert missing(QUIET, files) == []


def test_rays_core_knows_the_flags_that_are_set() -> None:
    flags = [name.removeprefix("RAY_") for name in (*PATIENT, *AHEAD)]
    assert missing(flags, [RAY / binary for binary in BINARIES]) == []


def test_ray_says_of_deaths_what_is_looked_for() -> None:
    """Or a lost node would count as a failure of its trials."""
    files = [*(RAY / binary for binary in BINARIES), RAY / "exceptions.py"]
    assert missing((*DEATHS, *NODE_DEATHS, LOW_ON_MEMORY), files) == []


def test_ray_finds_a_cluster_that_runs_here_as_check_address_asks_it() -> None:
    assert callable(services.canonicalize_bootstrap_address), "check_address: --address auto"


def test_a_local_ray_listens_on_the_loopback_alone(one_ray: str) -> None:
    """Whoever reaches a port of Ray's, and has its token, runs code here."""
    assert SPANS_MACHINES == ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR
    assert SPANS_MACHINES not in os.environ
    assert ray_constants.ENABLE_RAY_CLUSTER, "it was not put back, for a cluster joined later"
    ray.get(ray.remote(lambda: None).remote())  # a worker listens too
    listening: set[tuple[str, IPv4Address | IPv6Address]] = set()
    for pid in family(os.getpid()):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            listening |= {(name, address) for address in addresses_of(pid)}
    assert {"gcs_server", "raylet"} <= {name for name, _ in listening}
    assert {found for found in listening if not found[1].is_loopback} == set()


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started and that has not ended."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def addresses_of(pid: int) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses on which a process listens, as `ss -ltnp` shows them."""
    links = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            links.append(str(file.readlink()))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in links:
                digits = bytes.fromhex(local.partition(":")[0])  # words of 4 bytes, reversed
                words = [digits[place : place + 4][::-1] for place in range(0, len(digits), 4)]
                address = ip_address(b"".join(words))
                yield getattr(address, "ipv4_mapped", None) or address
