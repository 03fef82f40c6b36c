"""What checks a commit, here and where the project is hosted, is what `make lint` checks."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_workflow_runs_a_target_of_make_on_every_python_that_is_named() -> None:
    job = load(WORKFLOW)["jobs"]["test"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make test PYTHON=python"]
    dry = ["make", "--dry-run", "test", "PYTHON=python"]
    done = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True)
    for check in ("ruff format --check", "ruff check", "mypy", "pytest"):
        assert check in done.stdout
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert job["strategy"]["matrix"]["python"] == named


def test_the_hooks_are_the_environments_own_commands() -> None:
    [repository] = load(HOOKS)["repos"]
    assert repository["repo"] == "local"
    folder = Path(sys.executable).parent
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert (folder / hook["entry"].split()[0]).exists()


def test_neither_names_a_host() -> None:
    for path in (WORKFLOW, HOOKS):
        assert "://" not in path.read_text()
