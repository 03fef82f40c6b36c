"""Parts that several tests of the engine are made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainables.registry import default_of
from trainables.storage import LocalStorage
from trainables.training.normalisation import Normalisation
from trainables.trials.exported.model import FORMAT, ModelCard
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.leaderboard import write_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.info import RunInfo


def write_part(rows: Sequence[Row], storage: Path) -> Path:
    """The part that `write_rows` writes below a folder, as a file."""
    return Path(write_rows(rows, LocalStorage(storage)))


def linear_card(*class_names: str) -> ModelCard:
    """Of logistic regression on the pixels of grey images of 4x4."""
    return ModelCard(
        format=FORMAT,
        config=default_of("linear", 1),
        class_names=class_names,
        image_size=(4, 4),
        num_channels=1,
        normalisation=Normalisation(mean=(0.5,), std=(0.5,)),
        in_channels=1,
        in_size=(4, 4),
        features=None,
        dataset="made",
        dataset_fingerprint="",
    )


def make_info(**changes: Any) -> RunInfo:
    """The information of a run on the digits; other parts by name."""
    values: dict[str, Any] = {
        "run_id": "one",
        "job": "digits_cnn",
        "dataset": "digits",
        "data": "digits",
        "notes": (),
        "dataset_fingerprint": "a",
        "split_fingerprint": "b",
        "architecture": "cnn",
        "space": "searchspaces.cnn.space",
        "epochs": 2,
        "features": None,
        "weights": "scratch",
        "options": Options.resolve(JOB),
        "published": (),
        "git_commit": None,
        "versions": {},
        "command": "",
        "started_at": "2026-01-02T00:00:00+00:00",
    }
    return RunInfo(**(values | changes))
