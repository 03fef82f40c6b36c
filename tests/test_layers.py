"""Who may import whom, read off the source: between packages, and between storeys of a package."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("trainables", "searchspaces", "tune_jobs")

FORBIDDEN = {
    "trainables": {"searchspaces", "tune_jobs", "optuna"},
    "searchspaces": {"trainables", "tune_jobs", "torch", "ray"},
}

STOREYS = {
    "trainables": (
        *("image_ops", "config", "storage", "metrics", "calibration", "progress", "registry"),
        *("datasets", "architectures", "estimators", "training", "features", "trials", "worker"),
        "__init__",
    ),
    "tune_jobs/engine": (
        *("errors", "job", "search", "options", "run_state", "record", "stages", "job_checks"),
        *("cluster", "ray_tune", "results", "progress", "prepare", "pipeline", "reproduce", "cli"),
        "__init__",
    ),
}
"""From the ground up, as `docs/design.md` draws them: each imports only what stands before it."""

MOST_ENTRIES = 16
"""Modules and folders in a folder; the catalogue of jobs is the exception, by its nature."""

WITH_RAY = {
    "trainables/worker/ddp_workers.py",
    "trainables/worker/shared.py",
}
"""What of `trainables` needs Ray; `fit` and all below it runs without."""


def modules() -> dict[str, Path]:
    """Dotted name -> file; a package is named by its `__init__`."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}


MODULES = modules()


def names_imported(file: Path, *, for_types: bool) -> Iterator[str]:
    """The dotted names that a file imports, those inside functions too.

    Args:
        for_types: Also what only type checkers import.
    """
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only and not for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(module: str) -> set[str]:
    """The modules of this project that a module imports, for types too."""
    found = set()
    for name in names_imported(MODULES[module], for_types=True):
        parents = [name, name.rpartition(".")[0]]
        candidates = [c for parent in parents for c in (parent, f"{parent}.__init__")]
        found |= (
            {next(c for c in candidates if c in MODULES)}
            if set(candidates) & set(MODULES)
            else set()
        )
    return found - {module}


def packages_imported(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in names_imported(file, for_types=False)}


def arrows(folder: str) -> dict[str, set[str]]:
    """Between the entries of a folder, modules and folders alike: entry -> those it imports."""
    inside = f"{folder.replace('/', '.')}."
    found: dict[str, set[str]] = {}
    for module in MODULES:
        if module.startswith(inside):
            entry = module.removeprefix(inside).partition(".")[0]
            targets = {
                target.removeprefix(inside).partition(".")[0]
                for target in imports(module)
                if target.startswith(inside)
            }
            found.setdefault(entry, set()).update(targets - {entry})
    return found


def folders() -> list[str]:
    found = {str(file.parent.relative_to(ROOT)) for file in MODULES.values() if file.parent != ROOT}
    return sorted(found)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_only_downwards(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = {
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in packages_imported(file) & FORBIDDEN[package]
    }
    assert found == set()


@pytest.mark.parametrize("folder", folders())
def test_no_folder_has_a_circle(folder: str) -> None:
    graph: Mapping[str, set[str]] = arrows(folder)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"{folder}: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("folder", STOREYS)
def test_every_storey_imports_only_lower_ones(folder: str) -> None:
    order = STOREYS[folder]
    graph = arrows(folder)
    assert set(graph) == set(order), "docs/design.md names every storey"
    upwards = {
        (entry, target)
        for entry, targets in graph.items()
        for target in targets
        if order.index(target) >= order.index(entry)
    }
    assert upwards == set()


@pytest.mark.parametrize("folder", [name for name in folders() if name != "tune_jobs"])
def test_a_folder_can_be_taken_in_at_a_glance(folder: str) -> None:
    entries = [
        entry
        for entry in (ROOT / folder).iterdir()
        if entry.name not in ("__pycache__", "__init__.py") and not entry.name.startswith(".")
    ]
    assert len(entries) <= MOST_ENTRIES


def test_only_the_worker_imports_ray_in_trainables() -> None:
    files = (ROOT / "trainables").rglob("*.py")
    found = {str(f.relative_to(ROOT)) for f in files if "ray" in packages_imported(f)}
    assert found == WITH_RAY


def test_one_folder_imports_ray_tune() -> None:
    found = {
        MODULES[module].parent.relative_to(ROOT)
        for module in MODULES
        for name in names_imported(MODULES[module], for_types=True)
        if name.startswith("ray.tune")
    }
    assert found == {Path("tune_jobs/engine/ray_tune")}


def test_job_files_hold_no_logic() -> None:
    for file in (ROOT / "tune_jobs").glob("[!_]*.py"):
        docstring, *body = ast.parse(file.read_text()).body
        assert isinstance(docstring, ast.Expr), file
        kinds = [type(node).__name__ for node in body]
        assert set(kinds) <= {"Import", "ImportFrom", "Assign", "If"}, file
        guards = [ast.unparse(node) for node in body if isinstance(node, ast.If)]
        assert guards == ["if __name__ == '__main__':\n    main(JOB)"], file


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
