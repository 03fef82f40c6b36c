"""A job is checked whole before Ray starts: every problem names the key, the value and the rule."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from searchspaces.joined import JoinedSpace
from tests.tune_jobs.engine.parts import make_info
from trainables.features import Pixels
from tune_jobs.digits_mlp import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Published, Space
from tune_jobs.engine.job_checks import check_declaration, check_first, check_job
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.first import (
    adopted_configuration,
    first_configurations,
    recipes_by_names,
)
from tune_jobs.engine.stages.plan import CheckedJob

if TYPE_CHECKING:
    from optuna import Trial


def lr_alone(trial: "Trial") -> None:
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)


def with_constants(trial: "Trial") -> dict[str, Any]:
    lr_alone(trial)
    return {"optimizer": "sgd", "momentum": 0.5}


def away_from_the_default(trial: "Trial") -> None:
    lr_alone(trial)
    trial.suggest_float("l2", 1e-6, 1e-2, log=True)
    trial.suggest_categorical("batch_size", (16, 32))
    trial.suggest_categorical("optimizer", ("sgd", "adamw"))
    trial.suggest_int("warmup_epochs", 1, 3)


def another(trial: "Trial") -> dict[str, str]:
    lr_alone(trial)
    return {"architecture": "linear"}


def epochs_suggested(trial: "Trial") -> None:
    trial.suggest_int("epochs", 2, 5)


def epochs_returned(trial: "Trial") -> dict[str, int]:
    return {"epochs": 5}


def misspelt(trial: "Trial") -> None:
    lr_alone(trial)
    trial.suggest_int("hidden_1", 8, 32)
    trial.suggest_int("batchsize", 1, 9)


def misspelt_constant(trial: "Trial") -> dict[str, str]:
    return {"optimiser": "sgd"}


def float_batches(trial: "Trial") -> None:
    trial.suggest_float("batch_size", 16, 256)


def negative_rate(trial: "Trial") -> None:
    trial.suggest_float("lr", -0.1, -0.01)


def unknown_choice(trial: "Trial") -> None:
    trial.suggest_categorical("optimizer", ("sgd", "adm"))


def numpy_constant(trial: "Trial") -> dict[str, Any]:
    return {"l2": np.float32(1e-4)}


def neighbours(trial: "Trial") -> None:
    trial.suggest_int("k", 1, 9)


def neighbours_on_pixels(trial: "Trial") -> dict[str, str]:
    neighbours(trial)
    return {"features": "pixels"}


ALTERNATIVES: dict[str, Space] = {"mlp": lr_alone, "knn": neighbours}


def job_of(space: Space, *published: Published, architecture: str = "mlp") -> Job:
    return replace(JOB, space=space, published=published, architecture=architecture)


def checked(job: Job) -> CheckedJob:
    check_declaration(job)
    return check_job(job, job.epochs, None)


def refusal(job: Job) -> str:
    with pytest.raises(RequestError) as refused:
        checked(job)
    return str(refused.value)


def test_a_published_value_that_the_space_would_drop_is_refused() -> None:
    said = refusal(job_of(lr_alone, Published(name="1a", config={"lr": 0.01, "optimizer": "sgd"})))
    assert "published '1a': optimizer = 'sgd': the space does not suggest it" in said
    assert "and would train 'adam'" in said


def test_a_published_value_that_is_the_default_or_a_constant_is_trained() -> None:
    default = Published(name="1a", config={"lr": 0.01, "optimizer": "adam"})
    assert checked(job_of(lr_alone, default)).notes == ()
    constant = Published(name="1a", config={"lr": 0.01, "optimizer": "sgd", "momentum": 0.5})
    assert checked(job_of(with_constants, constant)).notes == ()


def test_a_published_value_against_a_constant_is_refused() -> None:
    said = refusal(job_of(with_constants, Published(name="1a", config={"momentum": 0.9})))
    assert "momentum = 0.9" in said
    assert "would train 0.5" in said


def test_a_published_value_outside_the_space_is_refused() -> None:
    said = refusal(job_of(lr_alone, Published(name="1a", config={"lr": 0.5})))
    assert "published '1a': lr = 0.5: the space holds in [0.0001, 0.1]" in said


def test_a_default_outside_the_space_begins_at_the_nearest_point_with_a_note() -> None:
    notes = checked(job_of(away_from_the_default)).notes
    assert [note.partition(" = ")[0].rpartition(" ")[2] for note in notes] == [
        *("batch_size", "l2", "warmup_epochs")
    ]
    assert notes[0] == (
        "the default configuration is tried first, but batch_size = 64: the space holds one of "
        "16, 32, and would train 32"
    )


def test_defaults_beside_a_published_value_begin_at_the_nearest_point_too() -> None:
    notes = checked(job_of(away_from_the_default, Published(name="1a", config={"lr": 0.01}))).notes
    assert "published '1a' configuration is tried first, but batch_size = 128" in notes[0]


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (epochs_suggested, "it suggests 'epochs': all trials have the job's `epochs`"),
        (epochs_returned, "it returns 'epochs': all trials have the job's `epochs`"),
        (misspelt, "suggests what mlp does not have: 'batchsize' (did you mean 'batch_size'?)"),
        (
            misspelt_constant,
            "returns what mlp does not have: 'optimiser' (did you mean 'optimizer'",
        ),
        (float_batches, "must be of type int, not float (32 of 32 samples break this rule)"),
        (negative_rate, "must be greater than 0 (32 of 32"),
        (unknown_choice, "it gives optimizer = 'adm': must be one of"),
        (numpy_constant, "l2 = np.float32(1e-04): must be of type float, not float32"),
    ],
)
def test_what_the_space_gives_is_held_against_the_rules(space: Space, said: str) -> None:
    assert said in refusal(job_of(space))


def test_a_run_that_has_begun_goes_on_with_a_note() -> None:
    outside = Published(name="1a", config={"hidden": (8,), "optimizer": "adagrad"})
    job = job_of(unknown_choice, outside)
    earlier = RunInfo.from_json(json.loads(json.dumps(make_info(published=(outside,)).to_json())))
    notes = check_job(job, job.epochs, earlier).notes
    assert any("it gives optimizer = 'adm': must be one of" in note for note in notes)
    assert any("published '1a': optimizer = 'adagrad': the space holds" in note for note in notes)


def test_weights_of_classes_are_those_of_what_does_not_say() -> None:
    job = job_of(lr_alone, Published(name="1a", config={"lr": 0.01}))
    found = check_job(job, job.epochs, None, {"class_weights": "balanced", "keep": "auroc"})
    assert {proposal["keep"] for proposal in found.proposals} == {"auroc"}
    assert {proposal["class_weights"] for proposal in found.proposals} == {"balanced"}
    assert found.defaults["mlp"]["class_weights"] == "balanced"
    assert found.notes == ()


def test_an_estimator_that_cannot_weigh_classes_is_named() -> None:
    job = replace(JOB, space=neighbours_on_pixels, published=(), architecture="knn")
    found = check_job(job, job.epochs, None, {"class_weights": "balanced", "keep": "auroc"})
    assert found.defaults["knn"]["class_weights"] == "none"
    assert found.notes == (
        "--class-weights: knn has no class_weights, and is trained without",
        "--keep: knn has no keep, and is trained without",
    )


def test_what_is_published_since_a_run_began_is_refused_as_in_a_new_run() -> None:
    job = job_of(lr_alone, Published(name="1a", config={"lr": 0.5}))
    with pytest.raises(RequestError, match=r"published '1a': lr = 0.5: the space holds"):
        check_job(job, job.epochs, make_info())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accuracy": 97.5}, "accuracy = 97.5: must be a fraction in [0, 1]: 97.5 % is 0.975"),
        ({"accuracy": -0.5}, "accuracy = -0.5: must be a fraction in [0, 1]"),
        ({"accuracy": "0.9"}, "accuracy = '0.9': must be a number in [0, 1], or None"),
        ({"name": 7}, "name = 7: must be a text"),
        ({"config": [("lr", 0.1)]}, "config = [('lr', 0.1)]: must be a dict"),
        ({"config": {"epochs": 50}}, "published '1a': its config gives 'epochs': all trials"),
        (
            {"config": {"learning_rate": 0.1}},
            "published '1a': its config gives what mlp does not have: 'learning_rate'",
        ),
    ],
)
def test_a_claim_is_checked(changed: dict[str, Any], said: str) -> None:
    claim: dict[str, Any] = {"name": "1a", "config": {"lr": 0.01}, "accuracy": 0.5, **changed}
    assert said in refusal(job_of(lr_alone, Published(**claim)))


def test_a_name_is_published_once() -> None:
    twice = [Published(name="1a", config={"lr": lr}) for lr in (0.01, 0.02)]
    assert "published '1a': name: must be that of one entry alone" in refusal(
        job_of(lr_alone, *twice)
    )


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".a", "a ", "a\n", 7])
def test_a_jobs_name_is_a_folders(name: Any) -> None:
    assert f"name = {name!r}: a job's name must be" in refusal(replace(JOB, name=name))


def test_an_estimator_needs_features() -> None:
    """Whether the job trains it alone, or proposes it among others."""
    said = "architecture = 'knn': an estimator needs features: give the Job features=Pixels(), or"
    assert f"the default: {said}" in refusal(job_of(neighbours, architecture="knn"))
    assert said in refusal(replace(job_of(lr_alone), space=JoinedSpace(ALTERNATIVES)))
    checked(replace(job_of(neighbours, architecture="knn"), features=Pixels()))
    checked(job_of(neighbours_on_pixels, architecture="knn"))


def test_names_of_a_joined_space_are_those_of_their_architecture() -> None:
    joined = JoinedSpace({"linear": lr_alone, "mlp": misspelt})
    said = refusal(replace(JOB, space=joined))
    assert "it suggests what mlp or linear does not have: 'mlp.batchsize'" in said
    assert "(did you mean 'mlp.batch_size'?)" in said
    joined = JoinedSpace({"linear": epochs_suggested, "mlp": lr_alone})
    assert "it suggests 'epochs': all trials have" in refusal(replace(JOB, space=joined))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"architecture": "cnn"}, "architecture = 'cnn': must be one of the joined space's: lin"),
        (
            {"backbone": "mpl"},
            "'mpl': must be one of the joined space's: linear, mlp (did",
        ),
        (
            {"space": JoinedSpace({"linear": lr_alone, "mlp": lr_alone}, {"mpl": 8})},
            "max_image_sizes = 'mpl': must be one of",
        ),
        ({"space": JoinedSpace({})}, "'mlp': must be one of the joined space's: it has none"),
        ({"space": JoinedSpace({"linear": lr_alone, "mlp": another})}, "leave it out of the parts"),
    ],
)
def test_a_joined_space_has_the_architectures_that_its_job_names(
    changed: dict[str, Any], said: str
) -> None:
    job = replace(JOB, space=JoinedSpace({"linear": lr_alone, "mlp": lr_alone}))
    checked(job)
    assert said in refusal(replace(job, **changed))


def test_a_joined_space_begins_at_each_recipe() -> None:
    job = replace(JOB, space=JoinedSpace({"linear": lr_alone, "mlp": lr_alone}))
    defaults = checked(job).defaults
    firsts = first_configurations(job, defaults)
    assert [first.config for first in firsts] == [defaults["linear"], defaults["mlp"]]
    names = recipes_by_names(job, defaults)
    assert (names["linear.lr"], names["mlp.lr"]) == (2e-3, 4e-3)
    assert "lr" not in names


def test_an_architecture_that_nothing_has_is_told_with_the_nearest() -> None:
    said = refusal(job_of(lr_alone, architecture="mlpp"))
    assert "architecture = 'mlpp': must be one of" in said
    assert "did you mean 'mlp'?" in said


def test_a_forked_configuration_begins_at_the_nearest_point_with_a_note() -> None:
    job = job_of(away_from_the_default)
    defaults = checked(job).defaults
    other = {**defaults["mlp"], "l2": 1e-3, "batch_size": 128, "optimizer": "sgd"}
    forked = adopted_configuration({**other, "warmup_epochs": 2}, "fork", job, defaults)
    problems, notes = check_first(forked, job, defaults)
    assert problems == []
    assert notes == [
        "--fork: a configuration is tried first, but batch_size = 128: the space holds one of 16, "
        "32, and would train 32"
    ]
