"""The work as a job of this project; started by `benchmarks/against_peers.py`.

Its first trial is the recipe, which is trained again, and so is the best trial, one seed each;
leaderboard and report are written.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.same_work import (
    EPOCHS,
    GRACE_PERIOD,
    REDUCTION_FACTOR,
    Outcome,
    Report,
    Work,
    read_work,
    space,
)
from tune_jobs.engine import Job, run


def build_job(work: Work) -> Job:
    return Job(
        name="peers",
        dataset=work.dataset,
        architecture="cnn",
        space=space,
        trials=len(work.configurations),
        epochs=EPOCHS,
        image_size=work.image_size,
    )


def main() -> None:
    work = read_work()
    with tempfile.TemporaryDirectory() as storage:
        result = run(
            build_job(work),
            data_dir=work.cache,
            train_size=work.train_size,
            allow_duplicates=True,
            sampler="random",
            seed=work.seed,
            grace_period=GRACE_PERIOD,
            reduction_factor=REDUCTION_FACTOR,
            max_parallel=work.workers,
            retrain_top=1,
            retrain_seeds=1,
            storage=storage,
        )
        ended = time.time()
        [winner] = [row for row in result.rows if row.winner]
        logs = Path(result.folder) / "tensorboard"
        trials = [reports for path in logs.glob("trial-*") if (reports := read_reports(path))]
        retrained = [read_reports(path) for path in logs.glob("retrain-*")]
        work.end(
            Outcome(
                ended=ended,
                trials=len(trials),
                reports=sorted((r for reports in trials for r in reports), key=lambda r: r.at),
                more_epochs=sum(map(len, retrained)),
                test_accuracy=winner.test_accuracy or 0.0,
            )
        )


def read_reports(logs: Path) -> list[Report]:
    """Read when a trial's epochs were recorded, from TensorBoard's logs."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events: Any = EventAccumulator(str(logs))
    events.Reload()
    if "accuracy/val" not in events.Tags()["scalars"]:
        return []
    return [
        Report(at=event.wall_time, val_accuracy=event.value)
        for event in events.Scalars("accuracy/val")
    ]


if __name__ == "__main__":
    main()
