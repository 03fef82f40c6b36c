"""A run of this project, with its defaults; started by `benchmarks/same_wall_time.py`.

Its `--time-budget` is for all of it: the search, the retraining of the best configuration and of
the recipe, one seed each, the leaderboard and the report.
"""

import tempfile
from pathlib import Path

from benchmarks.peers.contest import Ended, Outcome, Turn, outcome_of, read_turn
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
        retrain_top=1,
        retrain_seeds=1,
        seed=turn.seed,
        storage=str(storage),
    )
    [winner] = [row for row in result.rows if row.winner]
    [recipe] = [row for row in result.rows if row.origin == "default"]
    return outcome_of(
        read_trials(result.folder),
        turn.arrays,
        test_accuracy=winner.test_accuracy or 0.0,
        val_accuracy=winner.val_accuracy or 0.0,
        more={
            "recipe_test_accuracy": recipe.test_accuracy,
            "gain": 0.0 if winner is recipe else winner.gain,
            "gain_p_value": 1.0 if winner is recipe else winner.gain_p_value,
            "search_seconds": winner.search_seconds,
        },
    )


def read_trials(folder: str) -> list[Ended]:
    """Read the trials of a run's search from its record."""
    from tune_jobs.engine.record.recorded_trial import RecordedTrial
    from tune_jobs.engine.record.study_storage import read_studies
    from tune_jobs.engine.run_state.folder import open_place, run_folder

    with run_folder(open_place(folder)) as opened:
        info = opened.read_info()
        assert info is not None
        with read_studies(opened, info) as (study, _):
            trials = [RecordedTrial(trial) for trial in study.get_trials()]
    return [
        Ended(epochs=len(trial.epochs), val_accuracy=trial.last.val_accuracy)
        for trial in trials
        if trial.last
    ]


if __name__ == "__main__":
    main()
