"""`python -m tune_jobs.<job> [options]`: the options dataclass as a command line."""

import argparse
import os
import shlex
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from trainables.config.validation import OneOf
from tune_jobs.engine.cli.signals import INTERRUPTED, interruptible
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import JOB_DEFAULTS, Options
from tune_jobs.engine.run_state.provenance import program

DONE, FAILED, WRONG = 0, 1, 2


def main(job: Job, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `job` as the command line says, show the leaderboard, exit with the run's status:
    0 done, 1 the run failed, 2 the request was wrong, 130 interrupted and resumable, 141 the pipe
    that its output goes into was closed, and it is resumable."""
    from tune_jobs.engine.cli.output import run_into_pipe

    status = run_into_pipe(lambda: _run(job, arguments))
    if status == INTERRUPTED:  # all is closed; what Python does at its end, no handler sees
        os._exit(status)
    sys.exit(status)


def _run(job: Job, arguments: Sequence[str] | None) -> int:
    given = vars(build_parser(job).parse_args(arguments))
    return run_and_show(job, {k: v for k, v in given.items() if v is not None})


class _Parser(argparse.ArgumentParser):
    """Lists the ways to give data below the options: only then are the sources imported."""

    def format_help(self) -> str:
        from trainables.datasets.sources import ways_to_give_data

        return f"{super().format_help()}\n{ways_to_give_data()}\n"


def build_parser(job: Job) -> argparse.ArgumentParser:
    """One flag per field of `Options`; a flag that is not given leaves no value behind."""
    parser = _Parser(
        prog=shlex.join(program()),
        description=f"Search, retrain and rank: {', '.join(job.architectures)} on {job.dataset}.",
        allow_abbrev=False,
    )
    hints, rules = get_type_hints(Options), get_type_hints(Options, include_extras=True)
    for option in fields(Options):
        choices = _choices(rules[option.name])
        _add_flag(parser, option, hints[option.name], choices, getattr(job, option.name, None))
    return parser


def _add_flag(
    parser: argparse.ArgumentParser,
    option: Field[Any],
    hint: Any,
    choices: Sequence[str],
    job_default: Any,
) -> None:
    flag = f"--{option.name.replace('_', '-')}"
    default = job_default if option.name in JOB_DEFAULTS else option.default
    text = option.metadata["help"]
    if isinstance(default, (int, float, str, Path)) and not isinstance(default, bool):
        text += f" (default: {default})"
    if hint is bool:
        parser.add_argument(flag, action="store_true", default=None, help=text)
    elif choices:
        parser.add_argument(flag, choices=choices, help=text)
    else:
        plain = next(a for a in (*get_args(hint), hint) if a is not types.NoneType)
        parse = option.metadata["parse"]
        convert = _telling(parse) if parse else plain
        metavar = {int: "N", float: "X"}.get(plain, option.name.rpartition("_")[2].upper())
        parser.add_argument(flag, type=convert, metavar=metavar, help=text)


def _telling(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Have argparse say what a text must be, where it would say that it is invalid."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: must be {error}") from error

    return convert


def _choices(rule: Any) -> Sequence[str]:
    """The values that an annotation lists; none where it lists none."""
    if get_origin(rule) is Literal:
        return get_args(rule)
    tables = [held.table for held in get_args(rule) if isinstance(held, OneOf)]
    return list(tables[0]) if tables else ()


def run_and_show(job: Job, given: dict[str, Any]) -> int:
    from tune_jobs.engine.cli.outcome import resume_command, show_outcome, show_rows
    from tune_jobs.engine.cli.output import CLOSED, OutputClosedError, OutputConsole
    from tune_jobs.engine.pipeline import run_resolved

    try:
        options = Options.resolve(job, **given)
        resume = resume_command(job, options)
        with interruptible(f"interrupted; resume: {resume}"):
            console = OutputConsole()
            result = run_resolved(job, options, console, lambda rows: show_rows(rows, console))
            show_outcome(result, resume_command(job, options, trials="N"), console)
    except RequestError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG
    except RunError as error:
        print(f"error: {error}\nresume: {resume}", file=sys.stderr)
        return FAILED
    except OutputClosedError:
        print(f"the output is read no more: the run has stopped\nresume: {resume}", file=sys.stderr)
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE
