"""Both cluster files, as `ray up` reads them: who gets in, what travels, and what is set where."""

import ipaddress
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[1]
AWS, ONPREM = "cluster.yaml", "cluster.onprem.yaml"
NOBODY = ipaddress.ip_network("203.0.113.7/32")  # of the block for documentation


def load(name: str) -> Any:
    """With Ray's defaults filled in, by Ray's own loader."""
    config = prepare_config(yaml.safe_load((ROOT / name).read_text()))
    validate_config(config)
    return config


@pytest.fixture(params=[AWS, ONPREM])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cluster(name: str) -> Any:
    return load(name)


@pytest.fixture
def aws() -> Any:
    return load(AWS)


def starts(cluster: Any, kind: str) -> list[str]:
    return [command for command in cluster[f"{kind}_start_ray_commands"] if "ray start" in command]


def test_ray_asks_for_a_token_on_every_node(cluster: Any) -> None:
    for kind in ("head", "worker"):
        [command] = starts(cluster, kind)
        assert re.search(r"(^|; )export RAY_AUTH_MODE=token( \S+)?; \S*ray start ", command)
        assert "chmod 600 ~/.ray/auth_token" in cluster[f"{kind}_setup_commands"]
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


def test_the_dashboard_listens_on_loopback_only(cluster: Any) -> None:
    [head], [worker] = starts(cluster, "head"), starts(cluster, "worker")
    assert re.findall(r"--dashboard-host=(\S+)", head) == ["127.0.0.1"]
    assert "--head" not in worker


def test_no_port_is_open_to_the_world(name: str) -> None:
    networks = re.findall(r"[\d.:a-f]+/\d+\b", (ROOT / name).read_text())
    assert [ipaddress.ip_network(cidr) for cidr in networks] == [NOBODY] * (name == AWS)


def test_only_the_code_is_sent(cluster: Any) -> None:
    assert cluster["file_mounts"]["~/tune-jobs"] == "."
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/data/", "/runs/", "/leaderboards/", "/smoke/", ".venv/"} <= set(ignored)
    assert {*ignored, ".git", ".env"} <= set(cluster["rsync_exclude"])


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


def test_on_premises_each_machine_is_named_once_and_joins() -> None:
    text, cluster = (ROOT / ONPREM).read_text(), load(ONPREM)
    provider, auth = cluster["provider"], cluster["auth"]
    for value in (provider["head_ip"], *provider["worker_ips"], *auth.values()):
        assert text.count(value) == 1
    assert auth.keys() == {"ssh_user", "ssh_private_key"}
    [node_type] = cluster["available_node_types"].values()
    workers = len(provider["worker_ips"])
    assert node_type["min_workers"] == node_type["max_workers"] == cluster["max_workers"] == workers


def test_on_aws_nothing_runs_until_a_trial_waits(aws: Any) -> None:
    head, gpu_spot = (aws["available_node_types"][name] for name in ("head", "gpu_spot"))
    assert aws["head_node_type"] == "head"
    assert head["max_workers"] == 0
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert gpu_spot["min_workers"] == 0
    assert gpu_spot["max_workers"] == aws["max_workers"] > 0
    assert gpu_spot["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot"


def test_on_aws_the_firewall_is_ours(aws: Any) -> None:
    # Ray opens SSH to the world in a group of its own, and has none where every node names one.
    assert "security_group" not in aws["provider"]
    for node_type in aws["available_node_types"].values():
        assert node_type["node_config"]["SecurityGroupIds"] == [aws["metadata"]["security_group"]]


def test_on_aws_what_is_set_at_the_top_is_what_is_used(aws: Any) -> None:
    settings = aws["metadata"]
    nodes = {name: node["node_config"] for name, node in aws["available_node_types"].items()}
    assert aws["provider"]["region"] == settings["region"]
    assert aws["max_workers"] == settings["max_workers"]
    assert nodes["head"]["InstanceType"] == settings["head_instance"]
    assert nodes["gpu_spot"]["InstanceType"] == settings["worker_instance"]
    assert {node["ImageId"] for node in nodes.values()} == {settings["image"]}
    text = (ROOT / AWS).read_text()
    for name in ("region", "bucket", "image", "security_group", "head_instance", "worker_instance"):
        assert text.count(str(settings[name])) == 1, name


def test_on_aws_the_set_up_of_an_account(aws: Any, tmp_path: Path) -> None:
    """The commands of the file's head, run with an `aws` that writes down what it is asked for."""
    block = (ROOT / AWS).read_text().split("# Once per account")[1].split("# Then:")[0]
    lines = [line[4:] for line in block.splitlines() if line.startswith("#   ")]
    script = "\n".join(line for line in lines if not line.startswith(("pip ", "ray ")))
    record = tmp_path / "asked"
    (tmp_path / "aws").write_text(
        f'#!/bin/sh\necho sg-1\nprintf "%s\\0" "$AWS_REGION" "$@" end >> {record}\n'
    )
    (tmp_path / "aws").chmod(0o700)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-euc", script], cwd=ROOT, env=path, check=True)
    asked = [call.split("\0") for call in record.read_text().split("\0end\0") if call]
    assert {call[0] for call in asked} == {aws["metadata"]["region"]}
    bucket = aws["metadata"]["bucket"]
    assert [aws["metadata"]["region"], "s3", "mb", f"s3://{bucket}"] in asked
    policies = [json.loads(call[-1])["Statement"][0] for call in asked if call[-1][0] == "{"]
    resources = [policy["Resource"] for policy in policies if policy["Action"] == "s3:*"]
    assert resources == [[f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]] * 2
    profiles = {call[-1] for call in asked if "create-instance-profile" in call}
    nodes = aws["available_node_types"].values()
    assert {node["node_config"]["IamInstanceProfile"]["Name"] for node in nodes} == profiles
