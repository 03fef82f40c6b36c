import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from tune_jobs.engine.results.tensorboard.event_files import TrialLog, write_hparams_config


def read_events(folder: Path) -> Any:
    return EventAccumulator(str(folder)).Reload()


def test_scalars_are_read_back_by_epoch(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trial-0007", {"lr": 1e-3})
    log.add_epoch(1, {"accuracy/val": 0.5, "loss/val": 1.25})
    log.add_epoch(2, {"accuracy/val": 0.75, "loss/val": math.nan, "loss/train": math.inf})
    log.close("success")
    events = read_events(tmp_path / "trial-0007")
    assert set(events.Tags()["scalars"]) == {"accuracy/val", "loss/val"}
    assert [(e.step, e.value) for e in events.Scalars("accuracy/val")] == [(1, 0.5), (2, 0.75)]
    assert [(e.step, e.value) for e in events.Scalars("loss/val")] == [(1, 1.25)]


def test_hyperparameters_and_status_are_read_back(tmp_path: Path) -> None:
    hparams: dict[str, bool | int | float | str]
    hparams = {"lr": 1e-3, "batch_size": 64, "optimizer": "adam", "augment": True}
    log = TrialLog(tmp_path / "trial-0007", hparams)
    log.close("failure")
    contents = read_events(tmp_path / "trial-0007").PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG])
    end = metadata.parse_session_end_info_plugin_data(contents[metadata.SESSION_END_INFO_TAG])
    assert start.group_name == "trial-0007"
    assert start.hparams["lr"].number_value == 1e-3
    assert start.hparams["batch_size"].number_value == 64
    assert start.hparams["optimizer"].string_value == "adam"
    assert start.hparams["augment"].bool_value is True
    assert end.status == 2  # STATUS_FAILURE
    assert end.end_time_secs >= start.start_time_secs


def test_a_resumed_trial_continues_its_log(tmp_path: Path) -> None:
    interrupted = TrialLog(tmp_path, {"lr": 1e-3})
    interrupted.add_epoch(1, {"accuracy/val": 0.25})
    interrupted.close()
    assert metadata.SESSION_END_INFO_TAG not in read_events(tmp_path).PluginTagToContent("hparams")
    resumed = TrialLog(tmp_path, {"lr": 1e-3})
    resumed.add_epoch(2, {"accuracy/val": 0.5})
    resumed.close("success")
    assert len(list(tmp_path.iterdir())) == 2
    events = read_events(tmp_path)
    assert [(e.step, e.value) for e in events.Scalars("accuracy/val")] == [(1, 0.25), (2, 0.5)]
    assert metadata.SESSION_END_INFO_TAG in events.PluginTagToContent("hparams")


def test_an_epoch_survives_the_kill_of_its_writer(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tune_jobs.engine.results.tensorboard.event_files import TrialLog\n"
        "log = TrialLog(Path(sys.argv[1]), {'lr': 0.1})\n"
        "log.add_epoch(1, {'accuracy/val': 0.5})\n"
        "assert not {'torch', 'tensorflow'} & set(sys.modules)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [e.value for e in read_events(tmp_path).Scalars("accuracy/val")] == [0.5]


def test_a_thousand_trials_leave_no_thread_and_no_open_file(tmp_path: Path) -> None:
    def count() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/dev/fd"))  # noqa: PTH208

    before = count()
    for number in range(1_000):
        log = TrialLog(tmp_path / f"trial-{number:04}", {"lr": 0.1})
        log.add_epoch(1, {"accuracy/val": 0.5})
        log.close("success")
    assert count() == before
    assert len(list(tmp_path.iterdir())) == 1_000


def test_a_hyperparameter_of_another_type_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="hidden"):
        TrialLog(tmp_path / "trial-0000", {"hidden": [64, 32]})  # type: ignore[dict-item]
    assert not (tmp_path / "trial-0000").exists()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[str]:
    """The address of a TensorBoard over a running, a stopped, a failed and a finished trial."""
    write_hparams_config(
        tmp_path,
        {
            "lr": FloatDistribution(1e-4, 1e-1, log=True),
            "width": IntDistribution(8, 64),
            "optimizer": CategoricalDistribution(["sgd", "adam"]),
            "patience": CategoricalDistribution([None, 3]),
            "batch_size": None,
        },
    )
    logs = {}
    for number, name in enumerate(("running", "stopped", "failed", "finished")):
        log = TrialLog(
            tmp_path / name, {"lr": 0.001 * (number + 1), "width": 16, "optimizer": "adam"}
        )
        log.add_epoch(1, {"accuracy/val": 0.25 * number, "loss/val": 1.0, "accuracy/train": 0.5})
        logs[name] = log
    logs["finished"].add_epoch(2, {"accuracy/val": 1.0})
    logs["stopped"].close("success")
    logs["failed"].close("failure")
    logs["finished"].close("success")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--logdir", str(tmp_path)]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}/data/plugin"
    finally:
        server.terminate()
        server.wait(timeout=10)
        logs["running"].close()


def fetch(url: str, request: dict[str, Any] | None = None) -> Any:
    data = None if request is None else json.dumps(request).encode()
    post = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(post, timeout=5) as response:
        return json.load(response)


def retry(check: Callable[[], None], seconds: float) -> None:
    """Run `check` until it passes: the server starts, and then loads, in the background."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (OSError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_tensorboard_shows_every_trial_from_its_start(board: str) -> None:
    retry(lambda: check_scalars(board), seconds=30)
    retry(lambda: check_hparams(board), seconds=5)


def check_scalars(board: str) -> None:
    tags = fetch(f"{board}/scalars/tags")
    assert set(tags) == {"running", "stopped", "failed", "finished"}
    assert set(tags["running"]) == {"accuracy/val", "loss/val", "accuracy/train"}


def check_hparams(board: str) -> None:
    statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    response = fetch(
        f"{board}/hparams/session_groups",
        {"allowedStatuses": statuses, "startIndex": 0, "sliceSize": 100},
    )
    shown = {group["name"]: group for group in response["sessionGroups"]}
    status = {name: group["sessions"][0].get("status") for name, group in shown.items()}
    metrics = {
        name: {m["name"]["tag"]: m["value"] for m in group["metricValues"]}
        for name, group in shown.items()
    }
    assert status == {
        "running": "STATUS_UNKNOWN",
        "stopped": "STATUS_SUCCESS",
        "failed": "STATUS_FAILURE",
        "finished": "STATUS_SUCCESS",
    }
    assert metrics == {
        "running": {"accuracy/val": 0.0, "loss/val": 1.0},
        "stopped": {"accuracy/val": 0.25, "loss/val": 1.0},
        "failed": {"accuracy/val": 0.5, "loss/val": 1.0},
        "finished": {"accuracy/val": 1.0, "loss/val": 1.0},
    }
    assert shown["stopped"]["hparams"] == {"lr": 0.002, "width": 16, "optimizer": "adam"}

    config = fetch(f"{board}/hparams/experiment", {})
    hparams = {info["name"]: info for info in config["hparamInfos"]}
    assert hparams["lr"]["domainInterval"] == {"minValue": 1e-4, "maxValue": 1e-1}
    assert hparams["width"]["domainInterval"] == {"minValue": 8, "maxValue": 64}
    assert hparams["optimizer"]["domainDiscrete"] == ["adam", "sgd"]
    assert "domainDiscrete" not in hparams["patience"]
    assert "batch_size" in hparams
    assert [m["name"]["tag"] for m in config["metricInfos"]] == ["accuracy/val", "loss/val"]
