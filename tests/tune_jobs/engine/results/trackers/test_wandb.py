"""Weights & Biases, offline: the files that `wandb sync` sends have what the record has, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from wandb.proto.wandb_internal_pb2 import Record as Written

from tests.tune_jobs.engine.results.trackers.conftest import (
    Follow,
    end_and_fail,
    open_pair,
    train_next,
    train_pair,
    wait_until,
)
from tests.tune_jobs.engine.stages.searches import EPOCHS, open_search, run_to_the_end

HEADER, BLOCK = 7, 32768


def records_in(file: Path) -> Iterator[Written]:
    """What a run's file holds, a log in LevelDB's format: blocks of parts, each with its checksum,
    length and kind (whole, first, middle, last)."""
    content, place, whole = file.read_bytes(), HEADER, b""
    while place + HEADER <= len(content):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        length = int.from_bytes(content[place + 4 : place + 6], "little")
        if place + HEADER + length > len(content):
            return  # it is being written
        kind = content[place + 6]
        whole += content[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (1, 4):
            record = Written()
            record.ParseFromString(whole)
            yield record
            whole = b""


def read(folder: Path, job: str = "digits_cnn") -> dict[str, list[Written]]:
    """The records by the run's name; each name must be there once. The client's own process
    writes them, soon after a run is finished."""
    found: dict[str, list[Written]] = {}
    for file in folder.glob("wandb/offline-run-*/*.wandb"):
        wait_until(lambda: any(r.HasField("exit") for r in records_in(file)))  # noqa: B023
        written = list(records_in(file))
        [run] = [record.run for record in written if record.HasField("run")]
        assert run.display_name not in found
        assert (run.project, run.run_group) == (job, "one")
        found[run.display_name] = written
    return found


def values(items: Any) -> dict[str, str]:
    return {item.key or "/".join(item.nested_key): item.value_json for item in items}


def history(written: list[Written]) -> list[tuple[int, float]]:
    rows = [values(record.history.item) for record in written if record.HasField("history")]
    return [(int(row["_step"]), float(row["accuracy/val"])) for row in rows]


def test_each_trial_is_a_run_of_the_group(
    trackers_of: Follow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = open_search(tmp_path / "journal", trials=2)
    page = tmp_path / "page.html"
    page.write_text("what was found")
    with trackers_of("wandb") as trackers:
        trackers.follow(lambda: [search.record])
        end_and_fail(search)
        trackers.keep([str(page), None])
    said = capsys.readouterr()
    assert not said.out + said.err
    found = read(tmp_path)
    assert set(found) == {"one", "trial-0", "trial-1"}
    assert history(found["trial-0"]) == [(epoch, 0.25) for epoch in range(1, EPOCHS + 1)]
    [run] = [record.run for record in found["trial-0"] if record.HasField("run")]
    config = values(run.config.update)
    assert (config["lr"], config["architecture"]) == ("0.01", '"net"')
    assert not run.git.remote_url
    ends = {}
    for name in ("trial-0", "trial-1"):
        summaries = [values(r.summary.update) for r in found[name] if r.HasField("summary")]
        [code] = [r.exit.exit_code for r in found[name] if r.HasField("exit")]
        ends[name] = code, next(s["state"] for s in summaries if "state" in s)
    assert ends == {"trial-0": (0, '"COMPLETE"'), "trial-1": (1, '"FAIL"')}
    [artifact] = [record.artifact for record in found["one"] if record.HasField("artifact")]
    assert [entry.path for entry in artifact.manifest.contents] == ["page.html"]


def test_a_session_that_goes_on_doubles_nothing(trackers_of: Follow, tmp_path: Path) -> None:
    search = open_search(tmp_path / "journal", trials=2)
    with trackers_of("wandb") as trackers:
        trackers.follow(lambda: [search.record])
        run_to_the_end(search, search.next_task())
        train_next(search, 1, 2)
    assert history(read(tmp_path)["trial-1"]) == [(1, 0.25), (2, 0.5)]

    search = open_search(tmp_path / "journal", trials=2)
    with trackers_of("wandb") as trackers:
        trackers.follow(lambda: [search.record])
        train_next(search, 3, 4)
    found = read(tmp_path)
    assert set(found) == {"trial-0", "trial-1"}
    assert history(found["trial-1"]) == [(epoch, epoch / 4) for epoch in range(1, 5)]


def test_a_pair_that_failed_and_is_trained_again_ends_well(
    trackers_of: Follow, tmp_path: Path
) -> None:
    pair = open_pair()
    for values, end in (((0.25,), TrialState.FAIL), ((0.25, 0.5), TrialState.COMPLETE)):
        train_pair(pair, *values, end=end)
        with trackers_of("wandb") as trackers:
            trackers.follow(lambda: [pair])
    written = read(tmp_path)["pair"]
    assert history(written) == [(1, 0.25), (2, 0.5)]
    [code] = [record.exit.exit_code for record in written if record.HasField("exit")]
    assert code == 0
