"""What a worker does for a task: which split it looks at, and what it leaves."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trainables.config import Runtime
from trainables.datasets import ImageData, load_dataset
from trainables.registry import default_of
from trainables.storage import LocalStorage, StorageError, open_storage
from trainables.trials.inputs import TrialInputs
from trainables.trials.predictions import PREDICTIONS
from trainables.trials.report import EpochReport
from trainables.trials.task import Stage, TrialTask
from trainables.trials.watchdog import Watchdog
from trainables.worker.run_task import _train, check_run_folder
from trainables.worker.settings import TrialSettings
from trainables.worker.shared import SharedInputs


def train(
    folder: Path,
    inputs: TrialInputs,
    stage: Stage,
    *,
    seed: int = 1,
    name: str = "trial",
    goes_on_as: str = "",
    config: Mapping[str, object] = {},
) -> list[EpochReport]:
    """Train for two epochs, of which the first ends at a rung."""
    task = TrialTask(
        stage=stage,
        number=0,
        name=name,
        seed=seed,
        config={**default_of("linear", 2), **config},
        runtime=Runtime(device="cpu"),
        goes_on_as=goes_on_as,
    )
    place = LocalStorage(folder)
    settings = TrialSettings(
        inputs=SharedInputs(reference=None, home=""),
        rungs=(1,),
        checkpoints=place,
        timeout_seconds=None,
    )
    return list(_train(task, settings, inputs, Watchdog(None, place), peers=None))


def test_a_trial_of_the_search_sees_no_test_image_and_a_retraining_does_at_its_end(
    tmp_path: Path, make_data: Callable[..., ImageData]
) -> None:
    inputs = TrialInputs(data=make_data())
    found = {stage: train(tmp_path / stage, inputs, stage) for stage in Stage}
    looked = {stage: [r.metrics.test is not None for r in found[stage]] for stage in Stage}
    assert looked == {Stage.SEARCH: [False, False], Stage.RETRAIN: [False, True]}
    left = {
        stage: {file.name for file in (tmp_path / stage / "trial").iterdir()} for stage in Stage
    }
    assert left[Stage.SEARCH] == {"000001.pt"}
    assert left[Stage.RETRAIN] > {"model.safetensors", PREDICTIONS}
    assert "000001.pt" not in left[Stage.RETRAIN], "no rule looks at it"


def test_a_retraining_that_goes_on_from_a_trial_of_the_search_gives_what_a_new_one_would(
    tmp_path: Path, make_data: Callable[..., ImageData]
) -> None:
    """The averaged weights and the best epoch are in the checkpoint too."""
    inputs = TrialInputs(data=make_data())
    config = {"ema_epochs": 0.5, "keep": "accuracy", "l2": 0.01}
    both = tmp_path / "both"
    searched = train(both, inputs, Stage.SEARCH, goes_on_as="next", config=config)
    assert {file.name for file in (both / "next").iterdir()} == {"000002.pt"}
    went_on = train(both, inputs, Stage.RETRAIN, name="next", config=config)
    anew = train(tmp_path, inputs, Stage.RETRAIN, name="anew", config=config)
    assert [r.metrics.seconds for r in went_on] == [r.metrics.seconds for r in searched]
    assert went_on[0].metrics.val_loss == anew[0].metrics.val_loss
    last, also_last = went_on[-1].metrics, anew[-1].metrics
    assert last.test
    assert also_last.test
    assert (last.val_loss, last.kept_epoch) == (also_last.val_loss, also_last.kept_epoch)
    assert last.test.loss == also_last.test.loss
    for name in ("model.safetensors", PREDICTIONS):
        assert (both / "next" / name).read_bytes() == (tmp_path / "anew" / name).read_bytes()


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_a_seed_of_the_retraining_validates_on_the_fold_of_its_number(
    tmp_path: Path, seed: int
) -> None:
    data = load_dataset("digits", data_dir=tmp_path / "data", train_size=60, folds=3)
    views = [data.in_fold(number) for number in range(3)]
    folds = tuple(TrialInputs(data=view) for view in views)
    inputs = TrialInputs(data=data, folds=folds)
    *_, last = train(tmp_path / "all", inputs, Stage.RETRAIN, seed=seed)
    alone = [
        train(tmp_path / f"{n}", fold, Stage.RETRAIN, seed=seed) for n, fold in enumerate(folds)
    ]
    losses = [reports[-1].metrics.val_loss for reports in alone]
    assert len(set(losses)) == 3
    assert last.metrics.val_loss == losses[seed % 3]


def test_a_node_that_does_not_see_the_run_trains_nothing(tmp_path: Path) -> None:
    """One that joins a cluster later is held to the storage too."""
    run = open_storage(tmp_path / "runs" / "digits_cnn" / "one")
    with pytest.raises(StorageError, match=r"does not share it: no .*runs/digits_cnn/one"):
        check_run_folder(run.child("checkpoints"))
    run.write("run.json", b"{}")
    check_run_folder(run.child("checkpoints"))
