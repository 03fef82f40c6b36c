"""`python -m tune_jobs [leaderboard | predict | preflight]`; without a command, the catalogue."""

import argparse
import importlib
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from trainables.storage import StorageError
from tune_jobs.engine.cli import leaderboard
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tune_jobs",
        description="Without a command: list the jobs. Run one by python -m tune_jobs.<job>.",
    )
    commands = parser.add_subparsers(dest="command", metavar="{leaderboard,predict,preflight}")
    commands.add_parser(
        "leaderboard", add_help=False, help="show what runs have found; reproduce or rebuild it"
    )
    predict = commands.add_parser("predict", help="classify images with an exported model")
    predict.add_argument("model", help="a model's .safetensors, by path or URI")
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="files, or csv:PATH")
    predict.add_argument("--top", type=int, default=3, help="classes shown (default: 3)")
    check = commands.add_parser("preflight", help="would a run work there? say what is wrong")
    check.add_argument("--address", help="a running Ray cluster (auto, or HOST:PORT); else local")
    check.add_argument("--storage", help="can every node write to it and read it?")
    check.add_argument("--dataset", help="can it be loaded here?")
    check.add_argument("--data-dir", type=Path, default=Path("data"), help="as for a run")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["leaderboard"]:
            return leaderboard.main(words[1:])
        given = parser.parse_args(words)
        if given.command == "predict":
            from tune_jobs.engine.cli.predict import predict_images

            predict_images(given.model, given.images, given.top)
        elif given.command == "preflight":
            from tune_jobs.engine.cli.preflight import preflight

            return preflight(given.address, given.storage, given.dataset, given.data_dir)
        else:
            _list_jobs()
    except (RequestError, StorageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _list_jobs() -> None:
    """The catalogue by data set, with what the reports reached."""
    jobs = sorted(catalogue(), key=lambda job: (job.dataset, job.name))
    for dataset, group in itertools.groupby(jobs, key=lambda job: job.dataset):
        print(dataset)
        for job in group:
            budget = f"{job.trials} trials of up to {job.epochs} epochs"
            print(f"  {job.name:26} {budget:32} {_reported(job)}".rstrip())


def _reported(job: Job) -> str:
    figures = [p for p in job.published if p.accuracy is not None]
    if not figures:
        return ""
    best = max(figures, key=lambda p: p.accuracy or 0.0)
    return f"reported {best.accuracy} ({best.metric})"


def catalogue() -> list[Job]:
    """The `JOB` of every module in `tune_jobs`, by name."""
    folder = Path(__file__).parents[2]
    names = sorted(p.stem for p in folder.glob("[!_]*.py"))
    return [importlib.import_module(f"tune_jobs.{name}").JOB for name in names]
