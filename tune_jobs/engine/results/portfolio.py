"""Choose configurations that were best elsewhere from leaderboards, for a new run to begin with."""

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence

from trainables.config import ConfigError, Configuration, complete_config
from trainables.registry import check_config
from trainables.storage import open_storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.job_checks import check_first
from tune_jobs.engine.results.leaderboard import read_rows
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.info import PortfolioEntry
from tune_jobs.engine.stages.first import FirstConfiguration, adopted_configuration, what_is_trained

REMEDY = (
    "give a leaderboard (leaderboards/JOB/RUN.parquet), a folder of them, or the --storage above"
)

MOST = 5
"""A portfolio has so many configurations at most: each takes a trial from the search."""


def choose_portfolio(
    path: str,
    job: Job,
    defaults: Mapping[str, Configuration],
    others: Iterable[FirstConfiguration],
) -> tuple[tuple[PortfolioEntry, ...], list[str]]:
    """Choose up to `MOST` rows of leaderboards, by data set in turn, the best of each first.

    Rows are ranked among those of one data set, split and metric, on validation: the test split of
    a data set may be this run's too, and chooses nothing. The newest data set has the first turn.

    Args:
        path: A part, a folder of parts, or the storage above it, by path or URI.
        defaults: The default configuration of each architecture that the job may train.
        others: What the run tries first anyway.

    Returns:
        The rows, and remarks: on parts and rows that cannot be used, and on values that the job's
        space does not hold.

    Raises:
        RequestError: The path holds no row of these architectures that can be used.
    """
    rows, notes = _read(path)
    ours = [row for row in rows if row.architecture in defaults and not row.ensemble]
    if not ours:
        known = ", ".join(sorted({row.architecture for row in rows}))
        raise _refusal(
            path, f"it has no row of {' or '.join(defaults)}, only of {known}: leave it away"
        )
    trained = _in_turn(ours)
    if not trained:
        raise _refusal(path, "none of its rows has an accuracy: their training diverged")
    chosen, remarks, problems = _choose(trained, path, job, defaults, others)
    if len(problems) == len(trained):
        raise _refusal(path, "\n".join(["none of its rows can be tried:", *problems]))
    if not chosen:
        notes.append(f"--warm-start = {path!r}: the run tries all of its configurations anyway")
    return tuple(chosen), [*dict.fromkeys([*notes, *remarks]), *problems]


def _choose(
    trained: Iterable[Row],
    path: str,
    job: Job,
    defaults: Mapping[str, Configuration],
    others: Iterable[FirstConfiguration],
) -> tuple[list[PortfolioEntry], list[str], list[str]]:
    """Take rows in their order until there are enough; return them, remarks on their values, and
    why rows were passed over."""
    seen = [what_is_trained(first, job, defaults) for first in others]
    chosen: list[PortfolioEntry] = []
    notes: list[str] = []
    problems: list[str] = []
    for row in trained:
        if len(chosen) == MOST:
            break
        try:
            config = _configuration(row, defaults[row.architecture])
            first = adopted_configuration(config, "portfolio", job, defaults)
            _, remarks = check_first(first, job, defaults)
            fitted = what_is_trained(first, job, defaults)
        except (ConfigError, RequestError) as error:
            problems.append(f"--warm-start: row {row.name} is passed over: {error}")
            continue
        if fitted not in seen:
            seen.append(fitted)
            notes += remarks
            chosen.append(_entry(row, path, config))
    return chosen, notes, problems


def _read(path: str) -> tuple[list[Row], list[str]]:
    try:
        open_storage(path)
        rows, warnings = read_rows(path)
    except FileNotFoundError as error:
        raise _refusal(path, "there is no such file: " + REMEDY) from error
    except (ValueError, OSError) as error:
        raise _refusal(path, f"it cannot be read: {error}: {REMEDY}") from error
    if not rows:
        why = "; ".join(warnings) or "there is no leaderboard"
        raise _refusal(path, f"{why}: {REMEDY}")
    return rows, [f"--warm-start: {warning}" for warning in warnings]


def _refusal(path: str, why: str) -> RequestError:
    return RequestError(f"--warm-start = {path!r}: {why}")


def _in_turn(rows: Sequence[Row]) -> list[Row]:
    """Return the best row of each board, then the second of each, and so on."""

    def board(row: Row) -> tuple[str, str, str, str]:
        return row.dataset, row.dataset_fingerprint, row.split_fingerprint, row.metric or ""

    def merit(row: Row) -> tuple[float, float]:
        return row.val_score, row.finished_at.timestamp()

    trained = sorted((row for row in rows if row.val_score > -math.inf), key=board)
    boards = [
        sorted(group, key=merit, reverse=True) for _, group in itertools.groupby(trained, board)
    ]
    boards.sort(key=lambda board: max(row.finished_at for row in board), reverse=True)
    turns = itertools.zip_longest(*boards)
    return [row for turn in turns for row in turn if row is not None]


def _configuration(row: Row, default: Configuration) -> Configuration:
    """Read a row's configuration, and hold it against the rules of its fields.

    Its architecture is one of the job's: a file's text has no module imported.

    Raises:
        ConfigError: It is no configuration, or breaks a rule.
    """
    try:
        config = json.loads(row.config)
    except ValueError as error:
        raise ConfigError(f"config = {row.config!r}: must be a JSON object: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"config = {row.config!r}: must be a JSON object")
    config["architecture"] = row.architecture
    check_config(complete_config(default, config))
    return config


def _entry(row: Row, path: str, config: Configuration) -> PortfolioEntry:
    return PortfolioEntry(found_in=path, row=row.name, dataset=row.dataset, config=config)
