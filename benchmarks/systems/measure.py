"""Runs the systems one after the other, and keeps their leaderboards."""

import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.fruits import write_blocks
from benchmarks.systems.catalogue import System
from trainables.storage import LocalStorage
from tune_jobs.engine import run
from tune_jobs.engine.cli.commands import catalogue
from tune_jobs.engine.errors import RequestError, RunError

KEPT = Path(__file__).parents[1] / "results" / "systems"
"""`JOB/RUN.parquet`, the leaderboard of the run `systems-cpu` or `systems-gpu`."""

SEEDS = 3
PATIENCE_SECONDS = 4 * 3600.0
"""Idle priority beside other work may leave a trial without a core for long."""


def measure_all(
    systems: Iterable[System], *, data: Path, storage: str = ".", kept: Path = KEPT
) -> Iterator[tuple[System, bool]]:
    """Measure the systems whose leaderboard is not kept yet, and yield each with its success.

    One that failed is told, and the next one goes on. A run that was interrupted goes on where it
    stopped.
    """
    import torch  # takes seconds, which the page has no use for

    device = "gpu" if torch.cuda.is_available() else "cpu"
    for system in systems:
        board = kept / system.job / f"systems-{device}.parquet"
        if board.exists():
            print(f"{system.job}: measured before", flush=True)
            continue
        try:
            measure(system, data, storage, board, on_gpu=device == "gpu")
        except (RequestError, RunError) as error:
            print(f"{system.job}: error: {error}", flush=True)
        except Exception:  # of one system: the others are worth hours
            print(f"{system.job}: failed\n{traceback.format_exc()}", flush=True)
        yield system, board.exists()


def measure(system: System, data: Path, storage: str, board: Path, *, on_gpu: bool) -> None:
    """Run the system's job, or go on with its run, and keep its leaderboard as `board`."""
    link_aliens(data)
    write_blocks(data, data)
    [job] = [job for job in catalogue() if job.name == system.job]
    options = build_options(system, data, on_gpu=on_gpu)
    result = run(system.on_backbone(job), storage=storage, run_id=board.stem, **options)
    LocalStorage(board.parent).write(board.name, Path(result.leaderboard).read_bytes())
    print(f"{system.job}: kept {board}", flush=True)


def build_options(system: System, data: Path, *, on_gpu: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "dataset": system.data.spec.format(data),
        "data_dir": data,
        "allow_duplicates": True,  # published sets are measured as they are; rows count them
        "image_size": system.image_size,
        "weights": (system.weights or "scratch").format(data),
        "retrain_seeds": SEEDS,
        "trial_timeout": PATIENCE_SECONDS,
    }
    if not on_gpu:
        budget = {"trials": system.trials, "epochs": system.epochs, "train_size": system.train_size}
        options |= budget
    return options


def link_aliens(data: Path) -> None:
    """Link the photographs so that `validation`, which the report's figures are of, is test."""
    for split, folder in {"train": "train", "test": "validation"}.items():
        source, link = data / "aliens" / folder, data / "aliens-tested" / split
        if source.is_dir() and not link.exists():
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(source.resolve(), target_is_directory=True)
