"""Where a run keeps its files: a folder, or a prefix of an object store, by the same few verbs.

Every write is whole or not at all. Below a folder it goes to a temporary name, is synced and
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

from trainables.storage.errors import StorageError

T = TypeVar("T")

TEMPORARY = ".tmp"

PATIENCE_SECONDS = 120.0
"""How long a patient store may be out of reach; pyarrow itself gives up after six seconds."""

PAUSE_SECONDS = 2.0

PASSING = re.compile(r"NETWORK_CONNECTION|HTTP status 5\d\d|SLOW_DOWN|SERVICE_UNAVAILABLE")
"""In pyarrow's errors, which have no number: of the network, or of a store that is overloaded."""


class Storage(Protocol):
    """A place for files by name; a name may have folders in it, by `/`."""

    @property
    def uri(self) -> str:
        """The folder's path, or what `open_storage` opens."""
        ...

    def child(self, name: str) -> "Storage":
        """The place below this one."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Raises `OSError` (`StorageError` from an object store) where it cannot be written."""
        ...

    def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError` where there is no such file."""
        ...

    def names(self) -> list[str]:
        """The files here and in the folders below, sorted; none where the place does not exist.
        What a dead process has not finished is among them, as `*.tmp`."""
        ...

    def remove(self, name: str) -> None:
        """It need not exist."""
        ...


def is_uri(place: str | Path) -> bool:
    return "://" in str(place)


def open_storage(uri: str | Path) -> Storage:
    """The place at a path, or at a URI that pyarrow knows: `s3://bucket/prefix`, `gs://...`.

    Options of pyarrow's may follow, as `?endpoint_override=127.0.0.1:5000&scheme=http`
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
    return RemoteStorage(filesystem, path, uri)


@dataclass(frozen=True, slots=True)
class LocalStorage:
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
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(target.parent)

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
    """A prefix of an object store.

    Attributes:
        filesystem: A pyarrow `FileSystem`.
        path: The bucket and the prefix.
        patience_seconds: How long it is tried again while it is out of reach.
    """

    filesystem: Any
    path: str
    uri: str
    patience_seconds: float = 0.0

    def child(self, name: str) -> "RemoteStorage":
        base, separator, options = self.uri.partition("?")
        uri = f"{base.rstrip('/')}/{name}{separator}{options}"
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
        """Do it, again while the store is out of reach; its errors are `StorageError`s."""
        deadline = time.monotonic() + self.patience_seconds
        told = False
        while True:
            try:
                return action()
            except FileNotFoundError:
                raise
            except OSError as error:
                if not PASSING.search(str(error)) or time.monotonic() >= deadline:
                    raise StorageError(f"{self.uri}: {error}") from error
                if not told:
                    print(f"--storage: trying again: {self.uri}: {error}", file=sys.stderr)
                    told = True
            time.sleep(PAUSE_SECONDS)


def patient(storage: Storage) -> Storage:
    """The same place; an object store that does not answer is waited for, `PATIENCE_SECONDS`: for
    one that has answered, so that a wrong address is told at once."""
    if isinstance(storage, RemoteStorage):
        return replace(storage, patience_seconds=PATIENCE_SECONDS)
    return storage


def split_name(file: str | Path) -> tuple[str, str]:
    """The path or URI of a file -> that of its place, and its name."""
    base, separator, options = str(file).partition("?")
    place, slash, name = base.rpartition("/")
    return f"{place or slash or '.'}{separator}{options}", name


@contextmanager
def fetched(file: str | Path) -> Iterator[Path]:
    """The file at a path; one at a URI is copied for a while, with those beside it that have its
    stem. It need not exist."""
    if not is_uri(file):
        yield Path(file)
        return
    uri, name = split_name(file)
    place, stem = open_storage(uri), name.rpartition(".")[0]
    with tempfile.TemporaryDirectory(prefix="fetched-") as folder:
        for found in place.names():
            if found.startswith(stem) and "/" not in found:
                Path(folder, found).write_bytes(place.read(found))
        yield Path(folder, name)


@contextmanager
def files_for(place: Storage) -> Iterator[Path]:
    """A temporary folder; what is in it at the end is written to `place`."""
    with tempfile.TemporaryDirectory(prefix="files-") as folder:
        yield Path(folder)
        for file in sorted(Path(folder).iterdir()):
            place.write(file.name, file.read_bytes())


def _sync(folder: Path) -> None:
    """A rename outlives a power cut once its folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
