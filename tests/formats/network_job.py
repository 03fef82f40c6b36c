"""A network's job with published configurations, whose runs `c302f04/` holds."""

from typing import TYPE_CHECKING

from tune_jobs.engine import Job, Published, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> dict[str, float]:
    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_categorical("optimizer", ("sgd", "adam"))
    trial.suggest_int("hidden_1", 8, 64, log=True)
    trial.suggest_categorical("hidden_2", (0, 16, 32))
    return {"l2": 1e-5}


JOB = Job(
    name="network",
    dataset="digits",
    architecture="mlp",
    space=space,
    trials=6,
    epochs=9,
    published=(
        Published(
            name="1a",
            config={"lr": 0.01, "optimizer": "sgd", "hidden": (32,)},
            accuracy=0.9,
            metric="val, best",
            assumed=("l2", "schedule"),
        ),
        Published(name="1b", config={"lr": 0.001, "hidden": (16, 16)}),
    ),
)

if __name__ == "__main__":
    main(JOB)
