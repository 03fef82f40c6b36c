"""Who may import whom, read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = {
    "trainables": {"searchspaces", "tune_jobs", "optuna"},
    "searchspaces": {"trainables", "tune_jobs", "torch", "ray"},
}
RAY_BOUNDARY = [ROOT / "trainables" / name for name in ("peers.py", "trainable.py")]


def imports_of(file: Path) -> Iterator[str]:
    """What runs when the file is imported or used; names for type checkers do not count."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_layers_import_only_downwards(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = {
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in imports_of(file)
        if name in FORBIDDEN[package]
    }
    assert found == set()


def test_only_the_boundary_of_trainables_imports_ray() -> None:
    files = (ROOT / "trainables").rglob("*.py")
    assert sorted(file for file in files if "ray" in imports_of(file)) == RAY_BOUNDARY


def test_job_files_hold_no_logic() -> None:
    for file in (ROOT / "tune_jobs").glob("[!_]*.py"):
        body = ast.parse(file.read_text()).body
        kinds = [type(node).__name__ for node in body[1:]]
        assert set(kinds) <= {"Import", "ImportFrom", "Assign", "If"}, file


def test_the_engine_names_no_architecture() -> None:
    architectures = {
        file.stem
        for folder in ("architectures", "estimators")
        for file in (ROOT / "trainables" / folder).glob("[!_]*.py")
    }
    for file in (ROOT / "tune_jobs" / "engine").rglob("*.py"):
        strings = {
            node.value
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not strings & architectures, file
