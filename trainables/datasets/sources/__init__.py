"""One file per kind of source of images, which it declares as `SOURCE`.

`--dataset` calls a source by its file's name, with `-` for `_`. A module elsewhere that declares a
`SOURCE` is called by its dotted path. Files whose names begin with `_` are shared by sources.
"""

import importlib
from pathlib import Path
from types import ModuleType

from trainables.config.validation import nearest
from trainables.datasets.source import SourceKind, SpecError


def source_names() -> list[str]:
    """List the names of the sources in this folder, sorted."""
    files = Path(__file__).parent.glob("[!_]*.py")
    return sorted(file.stem.replace("_", "-") for file in files)


def find_source(name: str) -> SourceKind:
    """Find the source of a file in this folder (`csv`), or of a module elsewhere (`my_pkg.npy`).

    Raises:
        SpecError: There is no such file or module, or it declares no source.
    """
    module = _import_dotted(name) if "." in name else _import_own(name)
    source = getattr(module, "SOURCE", None)
    if not isinstance(source, SourceKind):
        raise SpecError(f"the module {name} must define SOURCE, a SourceKind")
    return source


def ways_to_give_data() -> str:
    """Write a line for each source: how `--dataset` names it, what it reads, its options."""
    lines = ["Ways to give data (--dataset):"]
    for name in source_names():
        kind = find_source(name)
        options = "&".join(f"{option}={value}" for option, value in kind.options.items())
        line = f"  {kind.usage(name):17} {kind.help}"
        lines.append(f"{line}; ?{options}" if options else line)
    lines.append("  MODULE[:...]      a source of your own, by the dotted path of its module")
    return "\n".join(lines)


def _import_own(name: str) -> ModuleType:
    if name not in source_names():
        raise _unknown(name)
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def _import_dotted(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise _unknown(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        hint = nearest(name, source_names())
        raise SpecError(
            f"{name} cannot be imported ({error}): is it on PYTHONPATH?{hint}"
        ) from error


def _unknown(name: str) -> SpecError:
    known = source_names()
    return SpecError(
        f"must begin with one of {', '.join(known)}, or with the dotted path of a module of yours"
        f"{nearest(name, known)}"
    )
