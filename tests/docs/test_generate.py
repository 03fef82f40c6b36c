from pathlib import Path

import pytest

from docs.generate import build_pages
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.cli.command_line import build_parser
from tune_jobs.engine.results.row import Row

PAGES = build_pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_says_what_the_code_says(path: Path) -> None:
    assert path.read_text() == PAGES[path], "run `make docs` and look at what has changed"


def test_every_flag_column_and_source_has_its_line() -> None:
    options, record, _, own = (text for _, text in sorted(PAGES.items()))
    flags = [word for word in build_parser(JOB).format_usage().split() if word.startswith("[--")]
    assert len(flags) > 30
    for flag in flags:
        assert options.count(f"\n| `{flag.strip('[]')}` |") == 1
    columns = record.partition("<!-- columns -->")[2]
    for column in Row.__slots__:
        assert columns.count(f"\n| `{column}` |") == 1
    assert own.count("\n| `csv:PATH` | ") == 1
