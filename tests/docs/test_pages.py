"""What the pages say can be followed: their links lead somewhere, their code runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
