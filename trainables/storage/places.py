"""Keep a run's files in a folder, or under a prefix of an object store, by the same few calls.

Every write is whole or not at all. In a folder the content goes to a temporary name, is synced and
renamed; an object store shows an object when its upload has ended. A reader of an object that is
being replaced may get parts of both, so what is replaced carries a checksum of its own.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from trainables.storage.errors import StorageError, naming

T = TypeVar("T")

TEMPORARY = ".tmp"

PATIENCE_SECONDS = 120.0
"""A patient store is tried for this long while it is out of reach; pyarrow itself gives up after
six seconds."""

PAUSE_SECONDS = 2.0
"""The pause between two tries."""

PASSING = re.compile(r"NETWORK_CONNECTION|HTTP status 5\d\d|SLOW_DOWN|SERVICE_UNAVAILABLE")
"""Matches pyarrow's errors that may pass: of the network, or of a store that is overloaded. These
have no number, so their text has to do."""


class Storage(Protocol):
    """Keeps files by name; a name may have folders in it, separated by `/`."""

    @property
    def uri(self) -> str:
        """Return the folder's path, or the URI: what `open_storage` opens."""
        ...

    def child(self, name: str) -> "Storage":
        """Return the place below this one."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file; raise `OSError` (`StorageError` from an object store) where it fails."""
        ...

    def read(self, name: str) -> bytes:
        """Read a file; raise `FileNotFoundError` where there is none."""
        ...

    def names(self) -> list[str]:
        """List the files here and in the folders below, sorted; none where there is no such place.
        What a dead process has not finished is among them, as `*.tmp`."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, which need not exist."""
        ...


def is_uri(place: str | Path) -> bool:
    return "://" in str(place)


def split_options(uri: str) -> tuple[str, str]:
    """Split a URI into what names a place, and pyarrow's options with their `?`, or nothing."""
    base, mark, options = uri.partition("?")
    return base, mark + options


def open_storage(uri: str | Path) -> Storage:
    """Open the place at a path, or at a URI that pyarrow knows: `s3://bucket/prefix`, `gs://...`.

    pyarrow's options may follow, such as `?endpoint_override=127.0.0.1:5000&scheme=http`
    (https://arrow.apache.org/docs/python/filesystems.html); `AWS_ENDPOINT_URL` does the same.

    Raises:
        ValueError: pyarrow knows no such URI, or it has a password in it.
    """
    if not is_uri(uri):
        return LocalStorage(Path(uri).resolve())
    uri = str(uri)
    if "@" in urlsplit(uri).netloc:
        raise ValueError(
            "must hold no key: it would be written into the run's files: give it by the "
            "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, say)"
        )
    from pyarrow.fs import FileSystem, LocalFileSystem

    filesystem, path = FileSystem.from_uri(uri)
    if isinstance(filesystem, LocalFileSystem):
        return LocalStorage(Path(path).resolve())
    base, options = split_options(uri)
    return RemoteStorage(filesystem, path, f"{base.rstrip('/')}{options}")


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """Keeps files in a folder."""

    path: Path

    @property
    def uri(self) -> str:
        return str(self.path)

    def child(self, name: str) -> "LocalStorage":
        return LocalStorage(self.path / name)

    def write(self, name: str, content: bytes) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY}")
        try:
            with naming(target), temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        sync(target.parent)

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def names(self) -> list[str]:
        return sorted(
            str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_file()
        )

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RemoteStorage:
    """Keeps files under a prefix of an object store.

    Attributes:
        filesystem: A pyarrow `FileSystem`.
        path: The bucket and the prefix.
        patience_seconds: The store is tried again for this long while it is out of reach.
    """

    filesystem: Any
    path: str
    uri: str
    patience_seconds: float = 0.0

    def child(self, name: str) -> "RemoteStorage":
        base, options = split_options(self.uri)
        uri = f"{base.rstrip('/')}/{name}{options}"
        return replace(self, path=f"{self.path.rstrip('/')}/{name}", uri=uri)

    def write(self, name: str, content: bytes) -> None:
        def write() -> None:
            with self.filesystem.open_output_stream(f"{self.path}/{name}") as stream:
                stream.write(content)

        self._reach(write)

    def read(self, name: str) -> bytes:
        def read() -> bytes:
            with self.filesystem.open_input_stream(f"{self.path}/{name}") as stream:
                return bytes(stream.read())

        return self._reach(read)

    def names(self) -> list[str]:
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, allow_not_found=True, recursive=True)
        found = self._reach(lambda: self.filesystem.get_file_info(selector))
        above = len(self.path.strip("/")) + 1
        return sorted(info.path.strip("/")[above:] for info in found if info.is_file)

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._reach(lambda: self.filesystem.delete_file(f"{self.path}/{name}"))

    def _reach(self, action: Callable[[], T]) -> T:
        """Do `action`, again while the store is out of reach; raise errors as `StorageError`."""
        deadline = time.monotonic() + self.patience_seconds
        has_warned = False
        while True:
            try:
                return action()
            except FileNotFoundError:
                raise
            except OSError as error:
                if not PASSING.search(str(error)) or time.monotonic() >= deadline:
                    raise StorageError(f"{self.uri}: {error}") from error
                if not has_warned:
                    print(f"--storage: trying again: {self.uri}: {error}", file=sys.stderr)
                    has_warned = True
            time.sleep(PAUSE_SECONDS)


def patient(storage: Storage) -> Storage:
    """Return the same place, whose object store is tried for `PATIENCE_SECONDS`. Call it for a
    store that has answered, so that a wrong address is reported at once."""
    if isinstance(storage, RemoteStorage):
        return replace(storage, patience_seconds=PATIENCE_SECONDS)
    return storage


def split_name(file: str | Path) -> tuple[str, str]:
    """Split the path or URI of a file into that of its place, and its name."""
    if not is_uri(file):
        return str(Path(file).parent), Path(file).name
    base, options = split_options(str(file))
    place, _, name = base.rpartition("/")
    return f"{place}{options}", name


@contextmanager
def fetched(file: str | Path) -> Iterator[Path]:
    """Yield a local path of the file at a path or URI; the file need not exist. One at a URI is
    copied for a while, with the files beside it that share its stem (a model's card, say)."""
    if not is_uri(file):
        yield Path(file)
        return
    uri, name = split_name(file)
    place, stem = open_storage(uri), name.rpartition(".")[0]
    with tempfile.TemporaryDirectory(prefix="fetched-") as folder:
        with naming(Path(folder)):
            for found in place.names():
                if found.startswith(stem) and "/" not in found:
                    Path(folder, found).write_bytes(place.read(found))
        yield Path(folder, name)


@contextmanager
def files_for(place: Storage) -> Iterator[Path]:
    """Yield a temporary folder; write its files to `place` at the end, unless an error ends it."""
    with tempfile.TemporaryDirectory(prefix="files-") as folder:
        with naming(Path(folder)):
            yield Path(folder)
        for file in sorted(Path(folder).iterdir()):
            place.write(file.name, file.read_bytes())


def sync(path: Path) -> None:
    """Write a file to disk, or a folder's entries: only then a rename outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
