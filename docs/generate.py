"""Writes the pages, and the parts of pages, that repeat what the code says: `make docs`.

All of `options.md` is `Options`. Between two marks, `record.md` has the columns of `Row`, and
`your-own.md` the sources that `--dataset` names, `systems.md` what was measured.
"""

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from benchmarks.systems.page import build_tables
from docs.tables import build_table
from trainables.config.quantities import seconds
from trainables.datasets.sources import find_source, source_names
from tune_jobs.engine.options import JOB_DEFAULTS, Options
from tune_jobs.engine.results.row_schema import SCHEMA

FOLDER = Path(__file__).parent
RULES = {int: "a whole number", float: "a number", str: "text", Path: "a path", bool: "a flag"}

OPTIONS_PAGE = """\
# Options of a run

*Written by `make docs` from `tune_jobs/engine/options/options.py`; do not edit it here.*

Every job takes these options, in two ways that mean the same:

- on the command line, `python -m tune_jobs.digits_cnn --trials 8`;
- in Python, `engine.run(JOB, trials=8)`: the names below with underscores, without the dashes.

`run.json` records all of them, with the defaults filled in.

Options of which the job file says the default have "the job's" below. A wrong value ends the
command with status 2 before anything starts, and the message names the option, the value and the
rule. A duration is a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d` behind it.

{table}
"""


def main() -> None:
    for path, text in build_pages().items():
        path.write_text(text)


def build_pages() -> dict[Path, str]:
    """File -> what it must hold."""
    return {
        FOLDER / "options.md": OPTIONS_PAGE.format(table=_build_options_table()),
        FOLDER / "record.md": _fill("record.md", "columns", _build_columns_table()),
        FOLDER / "your-own.md": _fill("your-own.md", "sources", _build_sources_table()),
        FOLDER / "systems.md": _fill("systems.md", "systems", build_tables()),
    }


def _fill(page: str, mark: str, table: str) -> str:
    """The page with the table between its two marks."""
    before, _, rest = (FOLDER / page).read_text().partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- end of {mark} -->\n")
    return f"{before}<!-- {mark} -->\n\n{table}\n\n{end}{after}"


def _build_options_table() -> str:
    hints = get_type_hints(Options, include_extras=True)
    rows = [
        (f"`--{option.name.replace('_', '-')}`", *_describe(option, hints[option.name]))
        for option in fields(Options)
    ]
    return build_table(("option", "default", "must be", "meaning"), rows)


def _describe(option: "Field[Any]", hint: Any) -> tuple[str, str, str]:
    """Its default, its rule and its meaning."""
    meaning, _, said = option.metadata["help"].rstrip(")").partition(" (default: ")
    return said or _name_default(option), _name_rule(option, hint), meaning


def _name_default(option: "Field[Any]") -> str:
    if option.default is MISSING:
        return "the job's" if option.name in JOB_DEFAULTS else "date, time and four digits"
    if option.default is None:
        return "none"
    if option.default is False:
        return "off"
    is_number = isinstance(option.default, float)
    return f"`{option.default:g}`" if is_number else f"`{option.default}`"


def _name_rule(option: "Field[Any]", hint: Any) -> str:
    return "a duration" if option.metadata["parse"] is seconds else " or ".join(_rules(hint))


def _rules(hint: Any) -> Iterator[str]:
    """In words, what a value of the type must be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        [plain] = _rules(arguments[0])
        words = [plain] if plain != RULES[str] else []
        yield ", ".join([*words, *map(str, arguments[1:])])
    elif origin in (Union, types.UnionType):
        for alternative in arguments:
            if alternative is not types.NoneType:
                yield from _rules(alternative)
    elif origin is Literal:
        names = ", ".join(f"`{name}`" for name in arguments)
        yield f"one of {names}" if len(arguments) > 1 else names
    else:
        yield RULES[hint]


def _build_columns_table() -> str:
    rows = [
        (
            f"`{column.name}`",
            str(column.type),
            "yes" if column.nullable else "",
            column.metadata[b"doc"].decode(),
        )
        for column in SCHEMA
    ]
    return build_table(("column", "Arrow type", "null", "meaning"), rows)


def _build_sources_table() -> str:
    rows = []
    for name in source_names():
        kind = find_source(name)
        options = ", ".join(f"`?{option}={value}`" for option, value in kind.options.items())
        meaning = f"{kind.help}; options: {options}" if options else kind.help
        rows.append((f"`{kind.usage(name)}`", meaning))
    own = ("`MODULE[:...]`", "a source of your own, by the dotted path of its module")
    return build_table(("`--dataset`", "what it reads"), [*rows, own])


if __name__ == "__main__":
    main()
