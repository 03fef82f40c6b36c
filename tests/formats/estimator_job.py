"""An estimator's job without published configurations, whose run `c302f04/` holds."""

from typing import TYPE_CHECKING

from trainables.features import Pixels
from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    trial.suggest_float("logistic_c", 1e-4, 1e2, log=True)


JOB = Job(
    name="estimator",
    dataset="digits",
    architecture="logistic_regression",
    space=space,
    trials=3,
    epochs=3,
    features=Pixels(),
)

if __name__ == "__main__":
    main(JOB)
