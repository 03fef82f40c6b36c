"""How the code hangs together, measured on its text: to compare two checkouts.

    python benchmarks/structure.py [CHECKOUT ...]

A row each for `trainables` and `tune_jobs/engine`:

- entries: modules and folders in the fullest folder;
- floors: modules in the longest chain of imports as modules are loaded;
- circles: groups of modules that import each other, for types too; and the same for the entries of
  a folder, at every level;
- Any: the share of annotations in which `Any` stands; dict[str, Any]: signatures that have a bare
  one, as a parameter or as what is returned;
- lines: all of them.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PLACES = ("trainables", "tune_jobs/engine")


def modules_of(root: Path) -> dict[str, Path]:
    files = [*root.glob("trainables/**/*.py"), *root.glob("tune_jobs/engine/**/*.py")]
    return {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted(files)
    }


def imports_of(file: Path, modules: dict[str, Path], *, as_loaded: bool) -> set[str]:
    """The modules that a file imports; `as_loaded`: only at its top, and not for types."""
    tree = ast.parse(file.read_text())
    nodes: Iterator[ast.AST] = iter(tree.body) if as_loaded else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in full}
    return found & set(modules)


def strong_components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of nodes that reach each other, of two or more."""
    reached = {node: _reach(graph, node) for node in graph}
    groups = [
        frozenset({node} | {other for other in found if node in reached.get(other, set())})
        for node, found in reached.items()
    ]
    return [set(group) for group in set(groups) if len(group) > 1]


def _reach(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph.get(node, ())
    return found


def floors(graph: dict[str, set[str]]) -> int:
    height: dict[str, int] = {}
    for node in TopologicalSorter(graph).static_order():
        height[node] = 1 + max((height[below] for below in graph.get(node, ())), default=0)
    return max(height.values())


def circles_of_folders(place: str, graph: dict[str, set[str]], root: Path) -> int:
    count = 0
    for folder in [root / place, *(p for p in (root / place).rglob("*") if p.is_dir())]:
        inside = ".".join(folder.relative_to(root).parts) + "."
        entries: dict[str, set[str]] = {}
        for module, targets in graph.items():
            if module.startswith(inside):
                entry = module.removeprefix(inside).partition(".")[0]
                near = {
                    t.removeprefix(inside).partition(".")[0]
                    for t in targets
                    if t.startswith(inside)
                }
                entries.setdefault(entry, set()).update(near - {entry})
        count += len(strong_components(entries))
    return count


def annotations(files: list[Path]) -> tuple[int, int, int]:
    """(annotations, those with `Any`, signatures with a bare `dict[str, Any]`)."""
    total = with_any = bare = 0
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            found: list[ast.expr | None] = []
            if isinstance(node, ast.FunctionDef):
                arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                found = [*(a.annotation for a in arguments), node.returns]
                texts = [ast.unparse(a).strip("'\"") for a in found if a]
                bare += any(t.split(" | ")[0] == "dict[str, Any]" for t in texts)
            elif isinstance(node, ast.AnnAssign):
                found = [node.annotation]
            texts = [ast.unparse(a) for a in found if a]
            total += len(texts)
            with_any += sum("Any" in text for text in texts)
    return total, with_any, bare


def measure(root: Path) -> None:
    modules = modules_of(root)
    loaded = {m: imports_of(f, modules, as_loaded=True) - {m} for m, f in modules.items()}
    every = {m: imports_of(f, modules, as_loaded=False) - {m} for m, f in modules.items()}
    for place in PLACES:
        own = {m for m, f in modules.items() if f.is_relative_to(root / place)}
        files = [modules[m] for m in own]
        folders = [root / place, *(p for p in (root / place).rglob("*") if p.is_dir())]
        entries = max(
            len([e for e in f.iterdir() if e.name not in ("__pycache__", "__init__.py")])
            for f in folders
            if f.name != "__pycache__"
        )
        within = {m: loaded[m] & own for m in own}
        total, with_any, bare = annotations(files)
        lines = sum(len(f.read_text().splitlines()) for f in files)
        print(
            f"{place:18} entries {entries:3}  floors {floors(within):3}  "
            f"circles {len(strong_components({m: every[m] & own for m in own}))} of modules, "
            f"{circles_of_folders(place, every, root)} of folders  "
            f"Any {with_any / total:.1%} of {total}  dict[str, Any] {bare}  lines {lines:,}"
        )


def main() -> None:
    for checkout in sys.argv[1:] or ["."]:
        print(checkout)
        measure(Path(checkout).resolve())


if __name__ == "__main__":
    main()
