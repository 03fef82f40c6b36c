"""A resume is the same run, or is refused with the difference."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tune_jobs.engine.parts import make_info
from trainables.config import Runtime
from trainables.features import Pixels
from trainables.storage import LocalStorage
from trainables.trials.report import TrainingCost
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Published
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.study_storage import open_study_storage
from tune_jobs.engine.run_state.continuation import continue_run
from tune_jobs.engine.run_state.folder import RunFolder, run_folder
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.constants import AS_DRAWN, find_constants

if TYPE_CHECKING:
    from optuna import Trial

OLD = Path(__file__).parents[3] / "formats" / "c302f04" / "runs" / "network" / "ended"
NETWORK = replace(JOB, name="network")
OPTIONS = replace(Options.resolve(JOB), run_id="ended")


def space(trial: "Trial") -> dict[str, Any]:
    width = trial.suggest_int("width", 1, 64)
    if width > 60:
        raise ValueError("a rare draw")
    return {"optimizer": "adam", "filters": (width, 2 * width)}


@pytest.fixture
def ended(tmp_path: Path) -> RunFolder:
    shutil.copytree(OLD, tmp_path / "ended")
    with run_folder(LocalStorage(tmp_path / "ended")) as folder:
        return folder


def test_a_record_that_is_there(ended: RunFolder) -> None:
    study, _ = open_study_storage(NETWORK, OPTIONS, ended.read_info(), ended)
    assert study == "journal"


@pytest.mark.parametrize("content", [None, b""])
def test_a_record_that_is_gone(ended: RunFolder, content: bytes | None) -> None:
    ended.journal.unlink() if content is None else ended.journal.write_bytes(content)
    with pytest.raises(RequestError, match=r"study\.journal is gone, or has no trials .*a copy"):
        open_study_storage(NETWORK, OPTIONS, ended.read_info(), ended)


def test_a_record_without_its_run_json(ended: RunFolder) -> None:
    with pytest.raises(RequestError, match=r"has a record of network/ended, .*has no run\.json"):
        open_study_storage(NETWORK, OPTIONS, None, ended)


def test_a_run_that_ended_before_its_first_trial_has_no_record_yet(ended: RunFolder) -> None:
    info = ended.read_info()
    assert info
    ended.journal.unlink()
    study, _ = open_study_storage(NETWORK, OPTIONS, replace(info, runtime=None), ended)
    assert study == "journal"


def test_a_resume_has_what_the_run_began_with() -> None:
    """Its arithmetic, its costs, and the defaults of then, which may be others by now."""
    earlier = make_info(
        runtime=Runtime(device="cpu", precision="bf16"),
        costs={"cnn": TrainingCost(multiply_adds=1, epoch_seconds=1.0)},
        default_configs={"cnn": {"dropout": 0.1}},
        git_commit="a",
    )
    now = make_info(default_configs={"cnn": {"dropout": 0.2}}, git_commit="b")
    info = continue_run(now, earlier)
    assert (info.runtime, info.costs) == (earlier.runtime, earlier.costs)
    assert info.default_configs == earlier.default_configs
    [note] = info.notes
    assert note.startswith("an earlier session ran commit a, this one runs b")
    assert continue_run(replace(now, git_commit="a"), earlier).notes == ()
    assert continue_run(now, None) == now


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dataset_fingerprint", "other"),
        ("split_fingerprint", "other"),
        ("architecture", "mlp"),
        ("epochs", 3),
        ("metric", "auroc"),
        ("class_weights", "balanced"),
        ("keep", "auroc"),
        ("features", Pixels()),
        ("weights", "imagenet"),
    ],
)
def test_what_trials_compare_by_must_be_the_same(name: str, value: object) -> None:
    with pytest.raises(RequestError, match=f"  {name}: was .*, is .*\nTake another --run-id"):
        continue_run(make_info(**{name: value}), make_info())


def test_what_a_space_suggests_is_part_of_the_run() -> None:
    before = make_info(suggests={"lr": "[0, 1]", "l2": "[0, 1]"})
    continue_run(before, before)
    continue_run(before, make_info())  # of a version that did not record it
    with pytest.raises(RequestError) as refused:
        continue_run(make_info(suggests={"lr": "[0, 2]", "dropout": "[0, 1]"}), before)
    for told in ("lr: was '[0, 1]', is '[0, 2]'", "l2: was '[0, 1]', is None", "dropout: was None"):
        assert f"  suggests.{told}" in str(refused.value)


def test_one_space_under_two_names() -> None:
    """`python my_job.py`, and every run of an early version, has it in `__main__`."""
    before, now = make_info(space="__main__.space"), make_info(space="mine.job.space")
    continue_run(now, before)
    continue_run(before, now)
    with pytest.raises(RequestError, match=r"space: was '__main__.space', is 'mine.job.other'"):
        continue_run(make_info(space="mine.job.other"), before)


def test_the_module_that_python_runs_has_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from tune_jobs.engine.run_state.info import name_space\n"
        "def space(trial): ...\n"
        "print(name_space(space))"
    )
    for words, name in {("-m", "own"): "own.space", ("own.py",): "__main__.space"}.items():
        command = [sys.executable, *words]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert said.stdout.strip() == name


def test_what_a_space_returns_is_part_of_the_run() -> None:
    found = find_constants(space)
    assert found == {"optimizer": "'adam'", "filters": AS_DRAWN}
    now = make_info(returns=found)
    continue_run(now, now)
    continue_run(now, make_info())  # of a version that did not record it
    for other in ({}, {**found, "optimizer": "'sgd'"}):
        with pytest.raises(RequestError, match=r"returns\.optimizer: was .*, is \"'adam'\""):
            continue_run(now, make_info(returns=other))


ENTRIES = (
    Published(name="1a", config={"lr": 0.01, "hidden": (24,)}, accuracy=0.9),
    Published(name="1b", config={"lr": 0.02}),
)


def test_a_published_entry_that_was_removed_is_refused() -> None:
    before = make_info(published=ENTRIES)
    continue_run(before, RunInfo.from_json(json.loads(json.dumps(before.to_json()))))
    with pytest.raises(RequestError) as refused:
        continue_run(make_info(published=ENTRIES[1:]), before)
    assert "published '1a': was {'name': '1a', 'config': {'lr': 0.01," in str(refused.value)
    assert "is None\n" in str(refused.value)
    assert "1b" not in str(refused.value)


@pytest.mark.parametrize("changed", [{"config": {"lr": 0.03}}, {"accuracy": 0.8}])
def test_a_published_entry_that_was_changed_is_refused(changed: dict[str, Any]) -> None:
    now = make_info(published=(ENTRIES[0], replace(ENTRIES[1], **changed)))
    with pytest.raises(RequestError, match=r"published '1b': was \{.*\}, is \{'name': '1b'") as no:
        continue_run(now, make_info(published=ENTRIES))
    assert "1a" not in str(no.value)


def test_a_published_entry_that_was_added_is_tried_whatever_its_place() -> None:
    """`tests/formats` resumes such a run to its end."""
    continue_run(make_info(published=ENTRIES[::-1]), make_info(published=ENTRIES[:1]))
