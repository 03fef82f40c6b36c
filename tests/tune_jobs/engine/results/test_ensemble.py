"""Which models an ensemble is made of, by what they predict; what its row says on a real run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from rich.console import Console

import trainables
from tests.tune_jobs.engine.parts import linear_card
from tests.tune_jobs.engine.results.examples import make_retrained
from trainables.architectures import find_architecture
from trainables.config.validation import to_json
from trainables.datasets import load_dataset
from trainables.metrics import METRICS, Cost, EpochMetrics, HeldOutMetrics
from trainables.storage import LocalStorage
from trainables.trials.exported.model import save_model
from trainables.trials.predictions import (
    PREDICTIONS,
    VALIDATION,
    Predictions,
    write_predictions,
)
from tune_jobs import engine
from tune_jobs.digits_mlp import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.reproduce import find_row
from tune_jobs.engine.results.ensemble import (
    MAX_PICKS,
    Model,
    average,
    choose_ensemble,
    read_models,
    select,
)
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.models import export_ensemble
from tune_jobs.engine.results.publish import rebuild
from tune_jobs.engine.results.row import Member, Row
from tune_jobs.engine.results.run_result import RunResult
from tune_jobs.engine.run_state.folder import retraining_name, run_folder
from tune_jobs.engine.stages.candidates import Retrained

ACCURACY, LOSS = METRICS["accuracy"], METRICS["log_loss"]


def predict(*probabilities: float) -> Predictions:
    """Two classes, of which the first is always right, and has these probabilities."""
    of_first_N = np.array(probabilities, np.float32)
    probabilities_NK = np.stack([of_first_N, 1 - of_first_N], axis=1)
    return Predictions(
        indices_N=np.arange(len(of_first_N)),
        labels_N=np.zeros(len(of_first_N), np.int64),
        predicted_N=probabilities_NK.argmax(axis=1),
        probabilities_NK=probabilities_NK,
    )


def test_models_that_err_elsewhere_are_joined() -> None:
    models = [predict(0.9, 0.9, 0.4), predict(0.4, 0.4, 0.9)]
    weights = select(models, ACCURACY)
    assert set(weights) == {0, 1}
    assert sum(weights.values()) == pytest.approx(1)
    assert average(models, list(weights.values())).correct_N.all()


def make_model(
    number: int,
    validation: Predictions,
    test: Predictions,
    *,
    seed: int = 1,
    features_seconds: float | None = None,
) -> Model:
    cost = Cost(
        peak_host_bytes=1, throughput=1, latency_seconds=1, features_seconds=features_seconds
    )
    held_out = HeldOutMetrics(loss=0.5, accuracy=0.5, macro_f1=0.5, cost=cost)
    metrics = EpochMetrics(epoch=1, seconds=1, val_loss=0.5, val_accuracy=0.5, test=held_out)
    return Model(
        trial_number=number,
        seed=seed,
        metrics=metrics,
        seconds=1,
        validation=validation,
        test=test,
    )


@pytest.mark.parametrize(
    ("seconds", "total"), [((2.0, 2.0), 2.0), ((2.0, 3.0), 5.0), ((2.0, None), 2.0)]
)
def test_features_are_counted_once(seconds: tuple[float | None, ...], total: float) -> None:
    predicted = [predict(0.9, 0.9, 0.4), predict(0.4, 0.4, 0.9)]
    models = [
        make_model(number, predictions, predictions, features_seconds=taken)
        for number, (predictions, taken) in enumerate(zip(predicted, seconds, strict=True))
    ]
    found = choose_ensemble(models, ACCURACY)
    assert found is not None
    assert found.metrics.test is not None
    assert found.metrics.test.cost is not None
    assert found.metrics.test.cost.features_seconds == total
    assert found.metrics.test.cost.throughput == 0.5
    assert found.metrics.test.cost.latency_seconds == 2


def test_validation_chooses_models_that_differ_and_test_measures_them() -> None:
    """On test the third alone is right; the fourth is the first again."""
    validation, test = (
        [predict(*pattern * 8) for pattern in patterns]
        for patterns in (
            [(0.9, 0.9, 0.4), (0.4, 0.4, 0.9), (0.1, 0.1, 0.1)],
            [(0.9, 0.4, 0.4), (0.9, 0.4, 0.3), (0.9, 0.9, 0.9)],
        )
    )
    models = [make_model(n, *both) for n, both in enumerate(zip(validation, test, strict=True))]
    models.append(make_model(0, validation[0], test[0], seed=2))
    found = choose_ensemble(models, ACCURACY)
    assert found is not None
    assert {(member.trial_number, member.seed) for member in found.members} == {(0, 1), (1, 1)}
    assert found.metrics.val_accuracy == 1
    assert found.metrics.test is not None
    assert found.metrics.test.accuracy == pytest.approx(1 / 3)
    assert found.seconds == 2
    assert found.metrics.num_parameters is None
    counted = [replace(m, metrics=replace(m.metrics, num_parameters=10)) for m in models]
    for members, total in ((counted, 20), ([models[0], *counted[1:]], None)):
        found = choose_ensemble(members, ACCURACY)
        assert found is not None
        assert found.metrics.num_parameters == total, "one that a member has not, it has not"


def keep_predictions(folder: Path, number: int, *probabilities: float) -> Retrained:
    """Write what a seed of a trial predicts of validation and test; return its result."""
    place = folder / "checkpoints" / retraining_name(number, 1)
    place.mkdir(parents=True)
    for name in (PREDICTIONS, VALIDATION):
        write_predictions(place, predict(*probabilities), name)
    return make_retrained(number, 0.5)


def test_the_models_are_the_same_ones_in_whatever_order_they_came(tmp_path: Path) -> None:
    """Of equal ones the first is taken: a rebuild takes what the run took."""
    results = [keep_predictions(tmp_path, number, 0.9, 0.4) for number in (5, 2)]
    models = read_models(LocalStorage(tmp_path), results)
    assert models is not None
    assert [model.trial_number for model in models] == [2, 5]


def test_a_single_image_of_validation_chooses_none(tmp_path: Path) -> None:
    """It ended a run in an error, before its rows were written."""
    results = [keep_predictions(tmp_path, number, 0.9 - number / 10) for number in range(2)]
    models = read_models(LocalStorage(tmp_path), results)
    assert models == []
    assert choose_ensemble(models, ACCURACY) is None


def test_models_that_were_validated_on_other_images_are_not_chosen_between(tmp_path: Path) -> None:
    results = [keep_predictions(tmp_path, number, 0.9, 0.4) for number in range(2)]
    assert len(read_models(LocalStorage(tmp_path), results) or ()) == 2
    other = predict(0.9, 0.4)
    other = replace(other, indices_N=other.indices_N + 1)
    write_predictions(tmp_path / "checkpoints" / retraining_name(1, 1), other, VALIDATION)
    assert read_models(LocalStorage(tmp_path), results) == []


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, with the models of two seeds of trial 0."""
    linear = find_architecture("linear")
    card = linear_card("night", "day")
    for seed in (1, 2):
        network = linear.build(linear.Config(), in_channels=1, image_size=(4, 4), num_classes=2)
        folder = tmp_path / "checkpoints" / retraining_name(0, seed)
        save_model(folder, card, network=network, front=None)
    return tmp_path


@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_model_that_cannot_be_read_keeps_no_run_from_its_end(
    run: Path,
    make_row: Callable[..., Row],
    capsys: pytest.CaptureFixture[str],
    is_damaged: bool,
) -> None:
    members = [Member(trial_number=0, seed=seed, weight=0.5) for seed in (1, 2)]
    row = make_row(ensemble=json.dumps(to_json(members)))
    name = retraining_name(0, 2)
    model = run / "checkpoints" / name / "model.safetensors"
    whole = model.read_bytes()
    if is_damaged:
        model.write_bytes(whole[:50])
    else:
        model.unlink()
    with run_folder(LocalStorage(run)) as folder:
        assert export_ensemble(row, folder) is None
        said = capsys.readouterr().err
        assert f"cannot be read from checkpoints/: {name}/model.safetensors: no" in said
        assert not list(run.glob("models/*"))
        model.write_bytes(whole)
        exported = export_ensemble(row, folder)
        assert exported is not None
        assert trainables.load_model(exported).card.image_size == (4, 4)
        model.unlink()
        assert export_ensemble(row, folder) == exported, "it is there from before"
    assert not capsys.readouterr().err


def test_a_model_may_be_picked_again() -> None:
    """The loss is lowest where the first has three times the weight of the second."""
    models = [predict(0.8, 0.8, 0.8, 0.2), predict(0.2, 0.2, 0.2, 0.8)]
    found = select(models, LOSS)
    losses = {
        share: -np.log(average(models, [share, 1 - share]).probabilities_NK[:, 0]).mean()
        for share in np.linspace(0, 1, MAX_PICKS + 1)
    }
    assert found[0] == pytest.approx(min(losses, key=losses.__getitem__), abs=0.1)
    assert found[0] > 0.8


def test_the_best_model_is_alone_where_none_adds_to_it() -> None:
    models = [predict(0.1, 0.1), predict(0.8, 0.8), predict(0.2, 0.1)]
    assert select(models, LOSS) == {1: 1.0}
    assert select([], LOSS) == {}


def test_of_models_that_are_equally_right_the_surer_one_is_first() -> None:
    assert select([predict(0.6, 0.6), predict(0.9, 0.9)], ACCURACY) == {0: 0.48, 1: 0.52}


def test_models_that_validation_cannot_tell_apart_are_all_in_it() -> None:
    models = [predict(0.6, 0.9, 0.3), predict(0.9, 0.6, 0.3), predict(0.6, 0.6, 0.1)]
    weights = select(models, ACCURACY)
    assert weights == {0: 0.36, 1: 0.32, 2: 0.32}


def test_one_that_validation_tells_apart_is_in_it_only_if_it_adds_to_it() -> None:
    """The poor one changes no answer of the mean, at the share that it would have."""
    models = [predict(*[0.9] * 20), predict(*[0.8] * 20), predict(*[0.4] * 20)]
    assert set(select(models, ACCURACY)) == {0, 1}
    models = [predict(*[0.9] * 20, 0.4), predict(*[0.8] * 20, 0.4), predict(*[0.4] * 20, 0.9)]
    assert set(select(models, ACCURACY)) == {0, 1, 2}


@pytest.mark.parametrize("metric", METRICS)
def test_it_is_chosen_by_any_metric(metric: str) -> None:
    """Noisy views of the same truth: their mean is better than each."""
    random = np.random.default_rng(0)
    labels_N = random.integers(3, size=300)

    def view() -> Predictions:
        logits_NK = 1.5 * np.eye(3)[labels_N] + random.normal(size=(300, 3))
        probabilities_NK: npt.NDArray[np.float64] = np.exp(logits_NK)
        probabilities_NK /= probabilities_NK.sum(axis=1, keepdims=True)
        return Predictions(
            indices_N=np.arange(300),
            labels_N=labels_N,
            predicted_N=probabilities_NK.argmax(axis=1),
            probabilities_NK=probabilities_NK.astype(np.float32),
        )

    assert len(select([view() for _ in range(4)], METRICS[metric])) > 1


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def result(one_ray: str, storage: Path) -> RunResult:
    return engine.run(
        JOB,
        console=Console(quiet=True),
        storage=storage,
        data_dir=storage / "data",
        trials=4,
        epochs=3,
        retrain_top=2,
        retrain_seeds=2,
        scheduler="none",
        precision="fp32",
        max_parameters=60_000,
        run_id="joined",
    )


@pytest.fixture(scope="module")
def row(result: RunResult) -> Row:
    [row] = [row for row in result.rows if row.origin == "ensemble"]
    return row


def test_its_row_has_what_any_row_has(result: RunResult, row: Row) -> None:
    configurations = [other for other in result.rows if not other.ensemble]
    assert len(row.members) >= 2
    assert sum(member.weight for member in row.members) == pytest.approx(1)
    assert set(row.models) <= {model for other in configurations for model in other.models}
    assert not row.winner
    assert row.interval is not None
    assert row.test_accuracy is not None
    assert row.interval[0] < row.test_accuracy < row.interval[1]
    assert row.tie_group is not None
    best = max(other.val_accuracy_per_seed for other in configurations)
    assert (row.val_accuracy or 0) >= max(accuracy or 0 for accuracy in best)


def test_it_costs_what_its_members_cost(result: RunResult, row: Row) -> None:
    by_number = {other.trial_number: other for other in result.rows}
    members = [by_number[number] for number, _ in row.models]
    assert row.multiply_adds == sum(member.multiply_adds or 0 for member in members)
    assert row.num_parameters == sum(member.num_parameters or 0 for member in members)
    assert row.exceeds is not None
    assert f"{row.num_parameters:,} parameters, above --max-parameters" in row.exceeds
    assert row.train_seconds <= sum(
        other.train_seconds for other in result.rows if not other.ensemble
    )


def test_its_gain_is_over_the_exported_model(result: RunResult, row: Row, storage: Path) -> None:
    [winner] = [other for other in result.rows if other.winner]
    assert row.gain_over == winner.trial_number
    assert result.model is not None
    exported = accuracy_of(result.model, storage)
    assert row.gain == pytest.approx((row.test_accuracy or 0) - exported)
    assert row.gain_p_value is not None


def accuracy_of(model: str, storage: Path) -> float:
    data = load_dataset("digits", data_dir=storage / "data")
    with torch.inference_mode():
        probabilities_NK = trainables.load_model(model)(
            torch.from_numpy(data.images_NHWC[data.test_indices])
        )
    right_N = probabilities_NK.argmax(dim=1).numpy() == data.labels_N[data.test_indices]
    return float(right_N.mean())


def test_the_exported_ensemble_gives_the_accuracy_of_its_row(
    result: RunResult, row: Row, storage: Path
) -> None:
    assert result.ensemble is not None
    assert accuracy_of(result.ensemble, storage) == pytest.approx(row.test_accuracy)


def test_it_predicts_from_the_command_line(result: RunResult, storage: Path) -> None:
    image = Path(__file__).parents[3] / "formats" / "digit.png"
    done = subprocess.run(
        [sys.executable, "-m", "tune_jobs", "predict", str(result.ensemble), str(image)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(image))


def test_the_page_tells_of_it(result: RunResult, row: Row) -> None:
    page = Path(str(result.report)).read_text()
    assert f"The ensemble of {len(row.members)} models reaches test accuracy" in page
    assert f"it exceeds a limit: {row.num_parameters:,} parameters" in page


def test_it_is_not_reproduced_itself(row: Row, storage: Path) -> None:
    numbers = sorted({number for number, _ in row.models})
    rows = ", ".join(f"joined:{number}" for number in numbers)
    with pytest.raises(RequestError, match=f"reproduce the rows of its members: {rows}"):
        find_row("joined:ensemble", storage)


def test_a_rebuild_finds_it_again_and_keeps_it_without_predictions(
    result: RunResult, storage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_rows(storage).rows
    rebuild(result.folder)
    assert read_rows(storage).rows == before
    first, *_ = sorted((Path(result.folder) / "checkpoints").glob("retrain-*"))
    (first / VALIDATION).unlink()
    rebuild(result.folder)
    assert read_rows(storage).rows == before, "it is not chosen among those that are left"
    shutil.rmtree(Path(result.folder) / "checkpoints")
    rebuild(result.folder)
    assert read_rows(storage).rows == before
    assert "predictions cannot be read" in capsys.readouterr().err
