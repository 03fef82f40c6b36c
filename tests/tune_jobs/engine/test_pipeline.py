"""The real command on the real digits, at tiny size: every step, its files, and going on."""

import html
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from PIL import Image
from rich.console import Console

import trainables
from trainables.datasets import load_dataset
from tune_jobs import engine
from tune_jobs.digits_mlp import JOB
from tune_jobs.engine.cluster.start import SPANS_MACHINES
from tune_jobs.engine.options import Options
from tune_jobs.engine.pipeline import run_resolved
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row

PATIENCE_SECONDS = 600  # a loaded machine is slow; a process that hangs is not waited for longer
TINY = ("--epochs", "3", "--retrain-top", "2", "--retrain-seeds", "2", "--precision", "fp32")


def start(storage: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tune_jobs.digits_mlp", *TINY, *arguments],
        cwd=storage,
        env={**os.environ, SPANS_MACHINES: "0"},  # one that is joined is on the loopback
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(storage: Path, *arguments: str) -> str:
    process = start(storage, *arguments)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, output
    return output


def load_study(folder: Path, name: str) -> optuna.Study:
    journal = str(folder / "study.journal")
    backend = JournalFileBackend(journal)
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))


def configurations(storage: Path) -> list[Row]:
    """Return the rows of single configurations; the ensemble of a run is chosen anew each time."""
    return [row for row in read_rows(storage).rows if not row.ensemble]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def output(storage: Path) -> str:
    return run(storage, "--trials", "4", "--run-id", "first")


@pytest.fixture(scope="module")
def folder(storage: Path, output: str) -> Path:
    return storage / "runs" / "digits_mlp" / "first"


def test_nobody_else_speaks_first(output: str) -> None:
    assert output.startswith("digits_mlp: run first\n")


def test_the_study_holds_every_trial_in_its_true_state(folder: Path) -> None:
    trials = load_study(folder, "digits_mlp/first").trials
    assert len(trials) == 4
    for trial in trials:
        assert trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        assert (trial.state == TrialState.COMPLETE) == (trial.last_step == 3)
    assert trials[0].user_attrs["origin"] == "default"
    assert trials[0].state == TrialState.COMPLETE


def test_the_default_is_trained_once_for_the_search_and_its_first_seed(folder: Path) -> None:
    default = load_study(folder, "digits_mlp/first").trials[0]
    retrained = load_study(folder, "digits_mlp/first/retrain").trials
    seeds = {t.user_attrs["seed"]: t for t in retrained if t.user_attrs["trial_number"] == 0}
    assert default.user_attrs["seed"] == min(seeds) == 1

    def seconds(trial: optuna.trial.FrozenTrial) -> list[float]:
        return [trial.user_attrs[f"epoch_{epoch}"]["seconds"] for epoch in (1, 2, 3)]

    assert seconds(seeds[1]) == seconds(default), "no clock gives the same twice"
    assert "test_accuracy" in seeds[1].user_attrs["epoch_3"]
    assert "test_accuracy" not in default.user_attrs["epoch_3"]
    assert seconds(seeds[2]) != seconds(default)
    assert not list((folder / "checkpoints").rglob("*.pt"))


def test_the_leaderboard_has_a_row_per_retrained_configuration(storage: Path, folder: Path) -> None:
    rows, warnings = read_rows(storage)
    assert not warnings
    assert {row.origin for row in rows} >= {"default"}
    assert sum(row.winner for row in rows) == 1
    rows = [row for row in rows if not row.ensemble]
    retrained = load_study(folder, "digits_mlp/first/retrain").trials
    assert len(retrained) == 2 * len(rows)
    for row in rows:
        values = [t.value for t in retrained if t.user_attrs["trial_number"] == row.trial_number]
        assert set(row.val_accuracy_per_seed) == set(values)
        assert row.num_seeds == 2
        first, second = row.test_accuracy_per_seed
        assert row.test_accuracy == pytest.approx(((first or 0) + (second or 0)) / 2)
        assert json.loads(row.config)["epochs"] == row.epochs == 3
    winner = next(row for row in rows if row.winner)
    assert winner.val_accuracy == max(row.val_accuracy or 0 for row in rows)


def test_every_row_says_what_the_commonest_class_reaches(storage: Path, output: str) -> None:
    data = load_dataset("digits", data_dir=storage / "data")
    [(name, _)] = Counter(data.labels_N[data.train_indices].tolist()).most_common(1)
    share = (data.labels_N[data.test_indices] == name).mean()
    found = {(r.majority_class, r.majority_class_accuracy) for r in read_rows(storage).rows}
    assert found == {(str(name), float(share))}
    said = f"always answering '{name}', the commonest class: {share:.4f}"
    assert said in output
    folder = storage / "runs" / "digits_mlp" / "first"
    on_validation = (data.labels_N[data.validation_indices] == name).mean()
    assert json.loads((folder / "run.json").read_text())["chance"]["accuracy"] == on_validation
    page = folder / "report" / "index.html"
    assert html.escape(said).replace("&#x27;", "&#39;") in page.read_text()


def test_the_exported_model_gives_the_test_accuracy_of_its_row(storage: Path, folder: Path) -> None:
    [weights] = (folder / "models").glob("retrain-*.safetensors")
    model = trainables.load_model(weights)
    data = load_dataset("digits", data_dir=storage / "data")
    import torch

    images = torch.from_numpy(data.images_NHWC[data.test_indices])
    with torch.inference_mode():
        predicted = model(images).argmax(dim=1).numpy()
    accuracy = float((predicted == data.labels_N[data.test_indices]).mean())
    winner = next(row for row in read_rows(storage).rows if row.winner)
    assert any(accuracy == pytest.approx(a) for a in winner.test_accuracy_per_seed)


def test_predict_names_classes_from_an_image_file(storage: Path, folder: Path) -> None:
    [weights] = (folder / "models").glob("retrain-*.safetensors")
    data = load_dataset("digits", data_dir=storage / "data")
    image = storage / "digit.png"
    Image.fromarray(data.images_NHWC[0, :, :, 0]).save(image)
    done = subprocess.run(
        [sys.executable, "-m", "tune_jobs", "predict", str(weights), str(image), "--top", "10"],
        capture_output=True,
        text=True,
        check=True,
    )
    name, *pairs = done.stdout.split()
    assert name == str(image)
    assert sorted(pairs[::2]) == [str(digit) for digit in range(10)]
    assert sum(float(p) for p in pairs[1::2]) == pytest.approx(1, abs=1e-3)


def test_tensorboard_has_a_folder_per_trial(folder: Path) -> None:
    names = {path.name for path in (folder / "tensorboard").iterdir() if path.is_dir()}
    assert {"trial-0000", "trial-0001", "trial-0002", "trial-0003"} <= names
    assert {"retrain-0000-seed-1", "retrain-0000-seed-2"} <= names


def test_run_json_holds_what_the_run_was(folder: Path) -> None:
    facts = json.loads((folder / "run.json").read_text())
    assert facts["options"]["trials"] == 4
    assert facts["runtime"]["precision"] == "fp32"
    assert facts["versions"]["optuna"] == optuna.__version__


def test_the_output_ends_with_commands_that_look_further(output: str, folder: Path) -> None:
    assert f"tensorboard --logdir {folder / 'tensorboard'}" in output
    assert f"optuna-dashboard {folder / 'study.journal'}" in output
    assert "--resume first" in output
    assert "Traceback" not in output


def test_a_resumed_run_adds_trials_and_keeps_the_ended_ones(
    one_ray: str, storage: Path, folder: Path
) -> None:
    before = load_study(folder, "digits_mlp/first").trials
    ranked = {row.name: row.test_accuracy_per_seed for row in configurations(storage)}
    run(storage, "--trials", "6", "--resume", "first", "--address", one_ray)
    after = load_study(folder, "digits_mlp/first").trials
    assert len(after) == 6
    assert after[:4] == before
    ranked_now = {row.name: row.test_accuracy_per_seed for row in configurations(storage)}
    assert ranked.items() <= ranked_now.items()


def test_a_second_run_adds_rows_and_loses_none(one_ray: str, storage: Path, folder: Path) -> None:
    before = {(row.run_id, row.trial_number): row for row in read_rows(storage).rows}
    run(
        storage, "--trials", "2", "--run-id", "second", "--retrain-seeds", "1", "--address", one_ray
    )
    after = {(row.run_id, row.trial_number): row for row in read_rows(storage).rows}
    assert before.items() <= after.items()
    assert {run_id for run_id, _ in after} == {"first", "second"}


def test_another_data_set_under_the_same_name_is_refused(storage: Path, folder: Path) -> None:
    process = start(storage, "--run-id", "first", "--train-size", "500")
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "split_fingerprint" in output


def test_a_refused_request_leaves_nothing_beside_what_was_there(
    storage: Path, folder: Path, tmp_path: Path
) -> None:
    """Nor does it touch a run that is there, which the request before this one was refused for."""
    before = sorted(path.name for path in folder.iterdir())
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "images" / "cat" / "1.png")
    for store in (storage, tmp_path / "new"):
        store.mkdir(exist_ok=True)
        process = start(store, "--dataset", f"folder:{tmp_path / 'images'}", "--run-id", "other")
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 2, output
        assert "at least 2 classes" in output
        assert not list(store.rglob("other*"))
    assert not (tmp_path / "new" / "runs").exists()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert "began differently" not in run(storage, "--run-id", "first", "--trials", "4")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_130_and_can_be_resumed(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = start(tmp_path, "--trials", "3", "--run-id", "cut", "--epochs", "400")
    journal = tmp_path / "runs" / "digits_mlp" / "cut" / "study.journal"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (journal.exists() and "epoch_2" in journal.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, output
    assert "--resume cut" in output
    assert load_study(journal.parent, "digits_mlp/cut").trials[0].intermediate_values


@pytest.mark.usefixtures("one_ray")
def test_the_leaderboard_is_there_before_the_report_which_a_resume_draws(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "digits_mlp" / "one"
    page, pictures = folder / "report" / "index.html", folder / "tensorboard" / "winner"
    given = {"smoke": True, "storage": str(tmp_path), "data_dir": tmp_path / "data"}
    shown: list[str] = []

    def interrupt(rows: Sequence[Row]) -> None:
        shown.extend(row.name for row in rows)
        assert {row.name for row in read_rows(tmp_path).rows} == set(shown)
        assert not page.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_resolved(
            JOB, Options.resolve(JOB, run_id="one", **given), Console(quiet=True), interrupt
        )
    assert shown
    result = engine.run(JOB, console=Console(quiet=True), resume="one", **given)
    assert {row.name for row in result.rows} == set(shown)
    assert page.exists()
    assert pictures.is_dir()
