"""A file of results, a line of JSON each: a benchmark that is started again goes on after them."""

import json
from pathlib import Path
from typing import Any


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Return the results that are there; none where there is no file."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def add_line(file: Path, result: dict[str, Any]) -> None:
    with file.open("a") as opened:
        opened.write(json.dumps(result) + "\n")
