"""A search over multilayer perceptrons, for images that a CSV file lists.

The file has a line per image, with the image's path (below the CSV file's own folder) and its
class. A column named `split` (train, val or test) is used if there is one:

    file,digit,split
    0000.png,0,test
    0001.png,1,train

The columns may have any name: `?image=file&label=digit` says which they are.

    python examples/csv/make_csv.py            # only if you have no file of your own
    python examples/csv/job.py                 # reads scans/scans.csv in the current folder
    python examples/csv/job.py --dataset 'csv:PATH?image=COLUMN&label=COLUMN'

Missing files, unknown splits and images that cannot be read are refused before anything starts, all
at once, each by its line.
"""

from typing import TYPE_CHECKING

from searchspaces.training import suggest_training
from tune_jobs.engine import Job, main

if TYPE_CHECKING:
    from optuna import Trial


def space(trial: "Trial") -> None:
    """One or two hidden layers."""
    suggest_training(trial)
    trial.suggest_int("hidden_1", 16, 256, log=True)
    trial.suggest_categorical("hidden_2", (0, 32, 64, 128))  # 0: there is no second layer
    trial.suggest_float("dropout", 0.0, 0.5)


JOB = Job(
    name="scans",
    dataset="csv:scans/scans.csv?image=file&label=digit",
    architecture="mlp",
    space=space,
    trials=16,
    epochs=15,
)

if __name__ == "__main__":
    main(JOB)
