"""A run that was killed, whose files are then damaged: it goes on from what is intact."""

import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from optuna.trial import TrialState

from tests.faults.runs import Runs

SEARCH = ("--epochs", "6", "--trials", "2", "--grace-period", "1", "--reduction-factor", "2")
CANARY = "canary"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, data: Path, address: str) -> Runs:
    """In the fifth epoch of the first trial; there are checkpoints of epochs 2 and 4."""
    storage = tmp_path_factory.mktemp("killed")
    faults = {"0": {"folder": str(tmp_path_factory.mktemp("marks")), "step_seconds": 0.05}}
    runs = Runs(storage=storage, data=data, address=address, faults=faults)
    driver = runs.start(*SEARCH)
    driver.until(lambda: runs.marks(0, "epoch-5.*"))
    driver.kill()
    driver.wait()
    assert [file.name for file in runs.checkpoints()] == ["000002.pt", "000004.pt"]
    return runs


@pytest.fixture
def runs(killed: Runs, make_runs: Callable[..., Runs], address: str) -> Runs:
    """A copy of the killed run."""
    copy = make_runs(address, killed.faults)
    shutil.copytree(killed.storage, copy.storage)
    return copy


class Malicious:
    """Unpickling it leaves a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.canary),)


def truncate(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 4
    file.write_bytes(content)


def plant_a_pickle(file: Path) -> None:
    """With the right checksum, as torch would write it."""
    buffer = io.BytesIO()
    torch.save({"model": Malicious(file.parents[5] / CANARY)}, buffer)
    content = buffer.getvalue()
    file.write_bytes(content + hashlib.sha256(content).digest())


def plant_a_bare_pickle(file: Path) -> None:
    content = pickle.dumps(Malicious(file.parents[5] / CANARY))
    file.write_bytes(content + hashlib.sha256(content).digest())


@pytest.mark.parametrize(
    ("damage", "torn"),
    [
        (truncate, b'{"op_code":8,"worker_id":"'),
        (flip_a_bit, b'{"op_code"\n'),
        (plant_a_pickle, b"\0" * 9000),
        (plant_a_bare_pickle, b"{"),
    ],
)
def test_it_goes_on_from_the_checkpoint_before_and_the_last_whole_line(
    runs: Runs, damage: Callable[[Path], None], torn: bytes
) -> None:
    """Also with a lock that a dead process has left."""
    damage(runs.checkpoints()[1])
    recorded = runs.recorded()
    runs.journal().write_bytes(recorded + torn)
    runs.journal().with_name("study.journal.lock").symlink_to(runs.journal())
    driver = runs.run(*SEARCH)
    assert f"the record ended in a torn line, cut off: {len(torn)} bytes" in driver.said
    assert runs.recorded().startswith(recorded)
    first, second = runs.trials()
    assert first.state == TrialState.COMPLETE
    assert second.state.is_finished()
    assert first.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": "000004.pt"}]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]
    assert not (runs.storage.parent / CANARY).exists()


@pytest.fixture(scope="module")
def finished(killed: Runs, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The killed run, brought to its end by another commit, all its checkpoints being damaged."""
    storage = tmp_path_factory.mktemp("finished") / "a"
    shutil.copytree(killed.storage, storage)
    runs = Runs(storage=storage, data=killed.data, address=killed.address, faults=killed.faults)
    for file in runs.checkpoints():
        truncate(file)
    facts = runs.folder() / "run.json"
    facts.write_text(
        facts.read_text().replace('"git_commit": ', '"git_commit": "0123abc", "was": ')
    )
    runs.run(*SEARCH)
    return runs


def test_with_all_checkpoints_damaged_the_trial_starts_over(finished: Runs) -> None:
    first = finished.trials()[0]
    assert first.state == TrialState.COMPLETE
    assert first.user_attrs["resumed"] == [{"resumed_from": 0, "corrupt": "000004.pt, 000002.pt"}]
    assert [f["epoch"] for f in finished.reports()["faulty/run"][0]] == [1, 2, 3, 4, 5, 6]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]


def test_another_commit_is_noted(finished: Runs) -> None:
    assert "note: an earlier session ran commit 0123abc" in finished.drivers[-1].said


def test_a_journal_with_a_damaged_line_amid_it_is_named(runs: Runs) -> None:
    lines = runs.journal().read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:-9] + b"\n"
    runs.journal().write_bytes(b"".join(lines))
    driver = runs.run(*SEARCH, status=1)
    assert f"error: {runs.journal()}: a line of the record is damaged" in driver.said
    assert "Traceback" not in driver.said
    assert runs.journal().read_bytes() == b"".join(lines)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--split-seed", "1"), ("split_fingerprint: was ",)),
        (
            ("--train-size", "500", "--epochs", "7"),
            (
                *("split_fingerprint: was ", "epochs: was 6, is 7"),
                "suggests.width: was 'IntDistribution(high=32",
            ),
        ),
    ],
)
def test_other_data_space_or_budget_is_refused_with_the_differences(
    runs: Runs, arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    recorded = runs.recorded()
    width = "64" if len(named) > 1 else "32"  # the space's, under the same name
    driver = runs.run(*SEARCH, *arguments, status=2, LARGEST_WIDTH=width)
    assert all(words in driver.said for words in named)
    assert runs.recorded() == recorded


def test_a_fork_begins_with_the_best_of_another_run(finished: Runs) -> None:
    runs = finished
    runs.run("--epochs", "2", "--trials", "3", "--scheduler", "none", name="source")
    recorded = runs.recorded(name="source")
    arguments = ("--fork", "source", "--epochs", "2", "--trials", "3", "--split-seed", "1")
    runs.run(*arguments, name="other", LARGEST_WIDTH="64")
    default, forked, searched = runs.trials(name="other")
    assert default.user_attrs["origin"] == "default"
    others = [t for t in runs.trials(name="source") if t.params != default.params]
    best = max(others, key=lambda t: (t.value or 0.0, -t.number))
    assert forked.params == best.params, "the default is tried anyway"
    assert searched.params not in (default.params, best.params)
    assert runs.recorded(name="source") == recorded
    runs.run(*arguments, "--trials", "4", name="other", LARGEST_WIDTH="64")
    assert [t.params for t in runs.trials(name="other")][:2] == [default.params, forked.params]
    for wrong in ("missing", "third"):
        driver = runs.run("--fork", wrong, name="third", status=2)
        assert f"--fork = '{wrong}'" in driver.said
