"""`tune-jobs leaderboard [PATH | reproduce ROW | rebuild RUN_FOLDER]`."""

import argparse
import shlex
from collections.abc import Sequence

from tune_jobs.engine.run_state.provenance import program

FORMATS = ("table", "json", "csv", "md")


def main(arguments: Sequence[str]) -> int:
    """Show, reproduce or rebuild -> exit status, 1 where a row was retrained and differs."""
    actions = {"reproduce": _reproduce, "rebuild": _rebuild}
    action = actions.get(arguments[0]) if arguments else None
    return action(arguments[1:]) if action else _show(arguments)


def _show(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=_program(),
        description="Show what runs have found. `reproduce ROW` retrains a row; "
        "`rebuild RUN_FOLDER` writes a run's rows again (each has a --help).",
    )
    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        help="storage of the runs (a folder or URI), or a path below it (default: .)",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="form of the output (default: table)"
    )
    given = parser.parse_args(arguments)
    from tune_jobs.engine.cli.output import OutputConsole
    from tune_jobs.engine.cli.show_leaderboard import show

    show(given.path, given.format, OutputConsole())
    return 0


def _reproduce(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=_program("reproduce"),
        description="Retrain a row and say whether it agrees: to the bit with the same versions on "
        "the same CPU, else in test accuracy within 0.01 for each seed. Data is loaded as the run "
        "loaded it, so start it in the folder where the run was started.",
    )
    parser.add_argument("row", metavar="ROW", help="RUN_ID:TRIAL, or a unique beginning of it")
    parser.add_argument(
        "--storage", default=".", help="storage that the run was given (default: .)"
    )
    given = parser.parse_args(arguments)
    from tune_jobs.engine.reproduce import find_row, reproduce

    row = find_row(given.row, given.storage)
    print(f"{row.name}: {row.num_seeds} seeds, {row.device}")
    verdict = reproduce(row, given.storage)
    for seed in verdict.seeds:
        equal = "equal to the bit" if seed.is_equal else "different"
        print(f"seed {seed.seed}: test was {seed.recorded:.6f}, is {seed.found:.6f}: {equal}")
    print(f"the row {verdict}")
    return 0 if verdict.agrees else 1


def _rebuild(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=_program("rebuild"), description="Write a run's rows again from its record."
    )
    parser.add_argument("folder", metavar="RUN_FOLDER", help="folder STORAGE/runs/JOB/RUN")
    given = parser.parse_args(arguments)
    from tune_jobs.engine.results.publish import rebuild

    print(rebuild(given.folder))
    return 0


def _program(*action: str) -> str:
    return shlex.join([*program(), "leaderboard", *action])
