"""`python -m tune_jobs leaderboard [PATH | reproduce ROW | rebuild RUN_FOLDER]`."""

import argparse
from collections.abc import Sequence

PROGRAM = "python -m tune_jobs leaderboard"
FORMATS = ("table", "json", "csv", "md")


def main(arguments: Sequence[str]) -> int:
    """Exit status; 1 where a row was retrained and differs."""
    actions = {"reproduce": _reproduce, "rebuild": _rebuild}
    action = actions.get(arguments[0]) if arguments else None
    return action(arguments[1:]) if action else _show(arguments)


def _show(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Show what runs have found. `reproduce ROW` retrains a row; "
        "`rebuild RUN_FOLDER` writes a run's rows again (each has a --help).",
    )
    parser.add_argument(
        "path", nargs="?", default=".", help="storage (a folder or URI), or below it"
    )
    parser.add_argument("--format", choices=FORMATS, default="table")
    given = parser.parse_args(arguments)
    from rich.console import Console

    from tune_jobs.engine.cli.show_leaderboard import show

    show(given.path, given.format, Console())
    return 0


def _reproduce(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} reproduce",
        description="Retrain a row and say whether it agrees: to the bit with the same versions on "
        "the same CPU, else in test accuracy within 0.01 for each seed. Data is loaded as the run "
        "loaded it, so start it in the folder where the run was started.",
    )
    parser.add_argument("row", metavar="ROW", help="RUN_ID:TRIAL, or a beginning that is unique")
    parser.add_argument("--storage", default=".", help="as the run was given it")
    given = parser.parse_args(arguments)
    from tune_jobs.engine.reproduce import find_row, reproduce

    row = find_row(given.row, given.storage)
    print(f"{row.job}/{row.run_id}:{row.trial_number}: {row.num_seeds} seeds, {row.device}")
    verdict = reproduce(row, given.storage)
    for seed in verdict.seeds:
        equal = "equal to the bit" if seed.is_equal else "different"
        print(f"seed {seed.seed}: test was {seed.recorded:.6f}, is {seed.found:.6f}: {equal}")
    print(f"the row {verdict}")
    return 0 if verdict.agrees else 1


def _rebuild(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} rebuild", description="Write a run's rows again from its record."
    )
    parser.add_argument("folder", metavar="RUN_FOLDER", help="STORAGE/runs/JOB/RUN")
    given = parser.parse_args(arguments)
    from tune_jobs.engine.results.publish import rebuild

    print(rebuild(given.folder))
    return 0
