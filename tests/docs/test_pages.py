"""What the pages say can be followed: their links lead somewhere, their code runs."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from trainables.metrics import Cost, EpochMetrics, HeldOutMetrics
from tune_jobs.engine.run_state.info import RunInfo

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/**/*.md")])
LONGEST_README = 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


def test_a_study_is_read_as_the_page_of_the_record_says(tmp_path: Path) -> None:
    [code] = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "record.md").read_text(), re.DOTALL
    )
    runs = ROOT / "tests" / "formats" / "c302f04" / "runs"
    code = code.replace('"runs/', f'"{runs}/').replace("digits_cnn/RUN", "network/ended")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "[6 rows x" in done.stdout
    assert not list(runs.rglob("*.lock"))


@pytest.mark.parametrize(
    ("section", "types"),
    [("run.json", [RunInfo]), ("The studies", [EpochMetrics, HeldOutMetrics, Cost])],
)
def test_the_page_of_the_record_names_every_key(section: str, types: list[Any]) -> None:
    text = (ROOT / "docs" / "record.md").read_text()
    [found] = re.findall(rf"^## {re.escape(section)}\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`([a-z_0-9]+)`", found))
    prefix = {HeldOutMetrics: "test_"}
    keys = {prefix.get(t, "") + f.name for t in types for f in fields(t)}
    assert keys - named <= {"test", "test_cost"}  # they are flattened
