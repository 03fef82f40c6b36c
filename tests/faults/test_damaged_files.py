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


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, plant_a_pickle, plant_a_bare_pickle])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    runs: Runs, damage: Callable[[Path], None]
) -> None:
    damage(runs.checkpoints()[1])
    runs.run(*SEARCH)
    first = runs.trials()[0]
    assert first.state == TrialState.COMPLETE
    assert first.user_attrs["resumed"] == [{"resumed_from": 2, "corrupt": "000004.pt"}]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]
    assert not (runs.storage.parent / CANARY).exists()


def test_with_all_checkpoints_damaged_the_trial_starts_over(runs: Runs) -> None:
    for file in runs.checkpoints():
        truncate(file)
    runs.run(*SEARCH)
    first = runs.trials()[0]
    assert first.state == TrialState.COMPLETE
    assert first.user_attrs["resumed"] == [{"resumed_from": 0, "corrupt": "000004.pt, 000002.pt"}]
    assert [f["epoch"] for f in runs.reports()["faulty/run"][0]] == [1, 2, 3, 4, 5, 6]
    assert not [key for key in first.user_attrs if key.startswith("repeated")]


@pytest.mark.parametrize("torn", [b'{"op_code":8,"worker_id":"', b'{"op_code"\n', b"\0" * 9000])
def test_a_torn_journal_is_cut_back_and_a_stale_lock_taken_over(runs: Runs, torn: bytes) -> None:
    recorded = runs.recorded()
    runs.journal().write_bytes(recorded + torn)
    runs.journal().with_name("study.journal.lock").symlink_to(runs.journal())
    driver = runs.run(*SEARCH)
    assert f"the record ended in a torn line, cut off: {len(torn)} bytes" in driver.said
    assert runs.recorded().startswith(recorded)
    assert [trial.state.is_finished() for trial in runs.trials()] == [True, True]


def test_a_journal_with_a_damaged_line_amid_it_is_named(runs: Runs) -> None:
    lines = runs.journal().read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:-9] + b"\n"
    runs.journal().write_bytes(b"".join(lines))
    driver = runs.run(*SEARCH, status=1)
    assert f"error: {runs.journal()}: a line of the record is damaged" in driver.said
    assert "Traceback" not in driver.said
    assert runs.journal().read_bytes() == b"".join(lines)


def test_another_commit_is_noted(runs: Runs) -> None:
    facts = runs.folder() / "run.json"
    facts.write_text(
        facts.read_text().replace('"git_commit": ', '"git_commit": "0123abc", "was": ')
    )
    driver = runs.run(*SEARCH)
    assert "note: an earlier session ran commit 0123abc" in driver.said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--split-seed", "1"), "split_fingerprint: was "),
        (("--train-size", "500"), "split_fingerprint: was "),
        (("--epochs", "7"), "epochs: was 6, is 7"),
    ],
)
def test_other_data_or_another_budget_is_refused_with_the_differences(
    runs: Runs, arguments: tuple[str, ...], named: str
) -> None:
    recorded = runs.recorded()
    driver = runs.run(*SEARCH, *arguments, status=2)
    assert named in driver.said
    assert runs.recorded() == recorded


def test_another_space_under_the_same_name_is_refused(runs: Runs) -> None:
    driver = runs.run(*SEARCH, status=2, LARGEST_WIDTH="64")
    assert "suggests.width: was 'IntDistribution(high=32" in driver.said


def test_a_fork_begins_with_the_best_of_another_run(runs: Runs) -> None:
    runs.run(*SEARCH)
    recorded = runs.recorded()
    complete = [t for t in runs.trials() if t.state == TrialState.COMPLETE]
    best = max(complete, key=lambda t: (t.value or 0.0, -t.number))
    arguments = ("--fork", "run", "--epochs", "2", "--trials", "3", "--split-seed", "1")
    runs.run(*arguments, name="other", LARGEST_WIDTH="64")
    default, forked, searched = runs.trials(name="other")
    assert default.user_attrs["origin"] == "default"
    assert forked.params == best.params
    assert searched.params != best.params
    assert runs.recorded() == recorded
    runs.run(*arguments, "--trials", "4", name="other", LARGEST_WIDTH="64")
    assert [t.params for t in runs.trials(name="other")][:2] == [default.params, forked.params]
    for wrong in ("missing", "third"):
        driver = runs.run("--fork", wrong, name="third", status=2)
        assert f"--fork = '{wrong}'" in driver.said
