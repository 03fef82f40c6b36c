"""The text of `--dataset`, taken apart and checked by what its source declares."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from trainables.config.validation import nearest
from trainables.datasets.errors import DatasetError
from trainables.datasets.source import PathTo, Source, SourceKind, Spec, SpecError
from trainables.datasets.sources import find_source, ways_to_give_data


def parse_spec(text: str) -> Spec:
    """Take the text of `--dataset` apart; nothing is opened yet.

    Raises:
        DatasetError: There is no such source or option, or nothing at the path. It lists the ways
            to give data.
    """
    try:
        return take_apart(text)
    except SpecError as error:
        raise _invalid(text, error) from error


def open_source(spec: Spec, data_dir: Path) -> Source:
    """Make the source, its files in place: a published set that is missing is downloaded.

    Raises:
        DatasetError: What `spec` says breaks a rule of its kind, or files are missing.
    """
    try:
        return find_source(spec.kind).open(spec, data_dir)
    except SpecError as error:
        raise _invalid(spec.text, error) from error


def is_own_data(text: str) -> bool:
    """Tell whether the text of `--dataset` names data of the user's own."""
    return find_source(_parts(text)[0]).is_own_data


def _parts(text: str) -> tuple[str, str | None, str]:
    """`KIND[:ARGUMENT][?QUERY]` -> (kind, argument, query)"""
    head, _, query = text.partition("?")
    name, colon, argument = head.partition(":")
    return name, argument if colon else None, query


def _path_and_query(text: str) -> tuple[str, str]:
    """Part `PATH[?QUERY]` at the first `?` that ends a path which is there, else at the first.

    A path may hold `?` itself, which can also be written `%3F`.
    """
    marks = [place for place, character in enumerate(text) if character == "?"]
    for end in [*marks, len(text)]:
        if _exists(text[:end]):
            return text[:end], text[end + 1 :]
    path, _, query = text.partition("?")
    return re.sub("%3f", "?", path, flags=re.IGNORECASE), query


def _exists(written: str) -> bool:
    try:
        return Path(written).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # `_find` says which of them and why
        return False


def take_apart(text: str) -> Spec:
    """Take a text such as that of `--dataset` apart; raises `SpecError` where it breaks a rule."""
    name, argument, query = _parts(text)
    kind = find_source(name)
    _check_presence(name, kind, argument)
    if isinstance(kind.argument, PathTo):
        argument, query = _path_and_query(text.partition(":")[2])
    options = dict(parse_qsl(query, keep_blank_values=True))
    _check_options(kind, options)
    if isinstance(kind.argument, PathTo):
        argument = str(_find(kind.argument, argument or ""))
    return Spec(text, name, argument or "", options)


def _check_presence(name: str, kind: SourceKind, argument: str | None) -> None:
    if kind.argument is None and argument is not None:
        raise SpecError(f"must be {name!r} alone")
    if kind.argument is not None and not argument:
        what = "a path" if isinstance(kind.argument, PathTo) else kind.argument
        raise SpecError(f"must give {what}, as {kind.usage(name)}")


def _check_options(kind: SourceKind, options: Mapping[str, str]) -> None:
    allowed = " and ".join(f"{name}={value}" for name, value in kind.options.items()) or "none"
    for name, value in options.items():
        if name not in kind.options:
            hint = nearest(name, list(kind.options))
            if not hint and isinstance(kind.argument, PathTo):
                hint = "; a ? in a path is written %3F"
            raise SpecError(f"its options may be: {allowed}, not {name!r}{hint}")
        if not value:
            raise SpecError(f"its options may be: {allowed}, each with a value")


def _find(wanted: PathTo, written: str) -> Path:
    """The absolute path to what is `wanted`."""
    if "\0" in written:  # from Python 3.13 on, a path with it is only not found
        raise SpecError(f"{written!r} is no path: embedded null byte")
    try:
        path = Path(written).expanduser().resolve()
        found = wanted.is_at(path)
    except (OSError, RuntimeError) as error:  # may not be entered; links in a circle; no such user
        raise SpecError(f"{written!r} is no path: {error}") from error
    if not found:
        raise SpecError(f"there is no {wanted.value} {path}")
    return path


def _invalid(text: str, error: SpecError) -> DatasetError:
    ways = ways_to_give_data()
    return DatasetError(f"the value of --dataset is {text!r}, but {error}.\n{ways}")
