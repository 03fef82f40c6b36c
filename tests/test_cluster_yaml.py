import ipaddress
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from ray.autoscaler._private.util import prepare_config, validate_config

PATH = Path(__file__).parents[1] / "cluster.yaml"


@pytest.fixture(scope="module")
def cluster() -> Any:
    """The file as `ray up` reads it: with Ray's defaults for AWS filled in."""
    config = prepare_config(yaml.safe_load(PATH.read_text()))
    validate_config(config)
    return config


@pytest.fixture(scope="module")
def start_commands(cluster: Any) -> list[str]:
    commands = cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"]
    return [command for command in commands if "ray start" in command]


def test_nothing_runs_until_a_trial_waits(cluster: Any) -> None:
    head, gpu_spot = (cluster["available_node_types"][name] for name in ("head", "gpu_spot"))
    assert cluster["head_node_type"] == "head"
    assert head["max_workers"] == 0
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert gpu_spot["min_workers"] == 0
    assert gpu_spot["max_workers"] == cluster["max_workers"] > 0
    assert gpu_spot["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot"


def test_ray_asks_for_a_token_on_every_node(cluster: Any, start_commands: list[str]) -> None:
    assert len(start_commands) == 2
    for command in start_commands:
        assert re.search(r"(^|; )RAY_AUTH_MODE=token \S*ray start ", command)
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    for setup in (cluster["head_setup_commands"], cluster["worker_setup_commands"]):
        assert "chmod 600 ~/.ray/auth_token" in setup


def test_the_dashboard_listens_on_loopback_only(start_commands: list[str]) -> None:
    head, worker = start_commands
    assert re.findall(r"--dashboard-host=(\S+)", head) == ["127.0.0.1"]
    assert "--head" not in worker


def test_no_port_is_open_to_the_world(cluster: Any) -> None:
    text = PATH.read_text()
    networks = [ipaddress.ip_network(cidr) for cidr in re.findall(r"[\d.:a-f]+/\d+", text)]
    assert networks == [ipaddress.ip_network("203.0.113.7/32")]
    # Ray opens SSH to the world in a group of its own, and has none where every node names one.
    assert "security_group" not in cluster["provider"]
    for node_type in cluster["available_node_types"].values():
        assert node_type["node_config"]["SecurityGroupIds"] == [
            cluster["metadata"]["security_group"]
        ]


def test_only_the_code_is_sent(cluster: Any) -> None:
    assert cluster["file_mounts"]["~/tune-jobs"] == "."
    ignored = (PATH.parent / ".gitignore").read_text().split()
    assert {"/data/", "/runs/", "/leaderboards/", ".venv/"} <= set(ignored)
    assert {*ignored, ".git/", ".env"} <= set(cluster["rsync_exclude"])


def test_what_is_set_at_the_top_is_what_is_used(cluster: Any) -> None:
    settings = cluster["metadata"]
    nodes = {name: node["node_config"] for name, node in cluster["available_node_types"].items()}
    assert cluster["provider"]["region"] == settings["region"]
    assert cluster["max_workers"] == settings["max_workers"]
    assert nodes["head"]["InstanceType"] == settings["head_instance"]
    assert nodes["gpu_spot"]["InstanceType"] == settings["worker_instance"]
    assert {node["ImageId"] for node in nodes.values()} == {settings["image"]}


def test_commands_are_valid_shell_and_setup_can_be_repeated(cluster: Any, tmp_path: Path) -> None:
    for step in ("head_setup", "worker_setup", "head_start_ray", "worker_start_ray"):
        for command in cluster[f"{step}_commands"]:
            subprocess.run(["bash", "-n", "-c", command], check=True)
    [export] = [command for command in cluster["setup_commands"] if ".bashrc" in command]
    home = {**os.environ, "HOME": str(tmp_path)}
    for _ in range(2):
        subprocess.run(["bash", "-c", export], env=home, check=True)
    line = 'source ~/.bashrc; echo "$RAY_AUTH_MODE $PATH"'
    shown = subprocess.run(["bash", "-c", line], env=home, check=True, capture_output=True)
    assert shown.stdout.decode().startswith(f"token {tmp_path}/venv/bin:")
    assert len((tmp_path / ".bashrc").read_text().splitlines()) == 1
