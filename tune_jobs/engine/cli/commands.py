"""`tune-jobs`, or `python -m tune_jobs`: all commands that do not run a job."""

import argparse
import importlib
import itertools
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from trainables.storage import StorageError
from tune_jobs import __version__
from tune_jobs.engine.cli import leaderboard
from tune_jobs.engine.cli.output import run_into_pipe
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.run_state.provenance import program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command -> its exit status; 2 where the request was wrong."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run_into_pipe(lambda: _run(words))


def _run(words: list[str]) -> int:
    try:
        if words[:1] == ["leaderboard"]:  # its own parsers: a path or an action comes first
            return leaderboard.main(words[1:])
        given = build_parser().parse_args(words)
        match given.command:
            case "predict":
                from tune_jobs.engine.cli.predict import predict_images

                return predict_images(
                    given.model,
                    given.images,
                    top=given.top,
                    output=given.output,
                    submission=given.submission,
                )
            case "export":
                from tune_jobs.engine.cli.export import export_model

                return export_model(given.model, given.format, given.output, given.data_dir)
            case "data":
                from tune_jobs.engine.cli.data import show_data

                show_data(given.dataset, given.data_dir, given.image_size, given.output)
            case "preflight":
                from tune_jobs.engine.cli.preflight import preflight

                return preflight(given.address, given.storage, given.dataset, given.data_dir)
            case _:
                _list_jobs()
    except (RequestError, StorageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=shlex.join(program()),
        description="Work with jobs and with what their runs have found. A job itself is run by "
        "`python -m tune_jobs.JOB`.",
        epilog="Each command has a --help of its own. Without a command: the list of jobs.",
    )
    parser.add_argument("--version", action="version", version=f"tune-jobs {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    commands.add_parser("jobs", help="list the jobs, with the best figure that a report gives")
    commands.add_parser(
        "leaderboard", add_help=False, help="show what runs have found; reproduce or rebuild it"
    )
    _add_predict(commands.add_parser("predict", help="classify images with an exported model"))
    _add_export(
        commands.add_parser("export", help="write a model as ONNX, or as a program of torch's")
    )
    _add_data(
        commands.add_parser(
            "data", help="show what was understood of a data set: classes, sizes, notes, a page"
        )
    )
    check = commands.add_parser(
        "preflight", help="check that a run would work here, and say what to do where it would not"
    )
    check.add_argument(
        "--address", help="address of a running Ray cluster (auto, or HOST:PORT); else a local one"
    )
    check.add_argument("--storage", help="storage that every node must be able to write and read")
    check.add_argument("--dataset", help="data set that must load here, named as for a run")
    _add_data_dir(check)
    return parser


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="path or URI of an exported model (.safetensors)")
    parser.add_argument(
        "images",
        nargs="+",
        metavar="WHAT",
        help="image file, folder of images, csv:PATH or parquet:PATH; no labels are needed",
    )
    parser.add_argument(
        "--top", type=int, default=3, help="number of classes shown per image (default: 3)"
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write all probabilities to FILE: .csv, .jsonl or .parquet by its ending",
    )
    parser.add_argument(
        "--submission",
        metavar="SAMPLE",
        help="CSV of ids, such as sample_submission.csv; FILE takes its rows and columns",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="path or URI of an exported model (.safetensors)")
    parser.add_argument(
        "--format",
        choices=("onnx", "torch"),
        required=True,
        help="onnx (with the extra [onnx]), or torch: a program for torch.export.load",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="file to write (default: beside the model, as .onnx or .pt2)",
    )
    _add_data_dir(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="SPEC", help="data set, as --dataset of a run names it")
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="P",
        help="resize to P x P pixels (default: as they are, or a proposed size where they differ)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write the page to FILE.html (default: into the folder overview of --data-dir)",
    )
    _add_data_dir(parser)


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("data"),
        help="folder of downloads and decoded images (default: data)",
    )


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
