"""A run of this project, with its defaults; started by `benchmarks/same_wall_time.py`.

Its `--time-budget` is for all of it: the search, the retraining of the best configurations and of
the recipe with as many seeds as there is time for, the leaderboard and the report. What is shipped
is one of the winner's seeds: its test accuracy is given as the mean over them. The ensemble, which
is exported too, is told beside it.
"""

import tempfile
from pathlib import Path

from benchmarks.peers.contest import Ended, Outcome, Turn, outcome_of, read_turn
from benchmarks.recorded import read_trials
from searchspaces import cnn
from tune_jobs.engine import Job, run


def main() -> None:
    turn = read_turn()
    with tempfile.TemporaryDirectory() as storage:
        turn.end(search(turn, Path(storage)))


def search(turn: Turn, storage: Path) -> Outcome:
    wanted = turn.data_set
    job = Job(
        name=f"peers_{turn.name}",
        dataset=wanted.spec(turn.data, turn.cache),
        architecture="cnn",
        space=cnn.space,
        trials=1000,
        epochs=wanted.epochs,
        image_size=wanted.pixels,
    )
    result = run(
        job,
        data_dir=turn.cache,
        train_size=wanted.train_size,
        allow_duplicates=True,
        time_budget=turn.seconds_left,
        seed=turn.seed,
        storage=str(storage),
    )
    [winner] = [row for row in result.rows if row.winner]
    [recipe] = [row for row in result.rows if row.origin == "default"]
    ensembles = [row for row in result.rows if row.origin == "ensemble"]
    return outcome_of(
        ended_trials(result.folder),
        turn.arrays,
        test_accuracy=winner.test_accuracy or 0.0,
        val_accuracy=winner.val_accuracy or 0.0,
        more={
            "recipe_test_accuracy": recipe.test_accuracy,
            "gain": 0.0 if winner is recipe else winner.gain,
            "gain_p_value": 1.0 if winner is recipe else winner.gain_p_value,
            "search_seconds": winner.search_seconds,
            "num_seeds": winner.num_seeds,
            "ensemble_test_accuracy": ensembles[0].test_accuracy if ensembles else None,
        },
    )


def ended_trials(folder: str) -> list[Ended]:
    """Return the trials of a run's search."""
    search, _ = read_trials(folder)
    return [
        Ended(epochs=len(trial.epochs), val_accuracy=trial.last.val_accuracy)
        for trial in search
        if trial.last
    ]


if __name__ == "__main__":
    main()
