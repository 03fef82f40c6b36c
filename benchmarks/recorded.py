"""What a run's record holds, for the benchmarks."""

from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.record.study_storage import read_studies
from tune_jobs.engine.run_state.folder import open_place, run_folder


def read_trials(folder: str) -> tuple[list[RecordedTrial], list[RecordedTrial]]:
    """Read the trials of a run's search, and those of its retraining."""
    with run_folder(open_place(folder)) as opened:
        info = opened.read_info()
        assert info is not None
        with read_studies(opened, info) as (search, retrain):
            return (
                [RecordedTrial(trial) for trial in search.get_trials()],
                [RecordedTrial(trial) for trial in retrain.get_trials()],
            )
