"""Where a run keeps its files: a folder, or a prefix of an object store, by the same few verbs.

Every write is whole or not at all. Below a folder it goes to a temporary name, is synced and
renamed; an object store shows an object when its upload has ended. A reader of an object that is
being replaced may get parts of both, so what is replaced carries a checksum of its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

TEMPORARY = ".tmp"


class Storage(Protocol):
    """A place for files by name; a name may have folders in it, by `/`."""

    @property
    def uri(self) -> str: ...

    def child(self, name: str) -> "Storage":
        """The place below this one."""
        ...

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError` where there is no such file."""
        ...

    def names(self) -> list[str]:
        """The files directly in this place, sorted; none where it does not exist."""
        ...

    def remove(self, name: str) -> None:
        """It need not exist."""
        ...


def open_storage(uri: str | Path) -> Storage:
    """The place at a path, or at a URI that pyarrow knows: `s3://bucket/prefix`, `gs://...`.

    Options of pyarrow's may follow, as `?endpoint_override=127.0.0.1:5000&scheme=http`
    (https://arrow.apache.org/docs/python/filesystems.html).
    """
    if "://" not in str(uri):
        return LocalStorage(Path(uri).resolve())
    from pyarrow.fs import FileSystem

    filesystem, path = FileSystem.from_uri(str(uri))
    return RemoteStorage(filesystem, path, str(uri))


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

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def names(self) -> list[str]:
        if not self.path.is_dir():
            return []
        files = (path for path in self.path.iterdir() if path.is_file())
        return sorted(file.name for file in files if not file.name.endswith(TEMPORARY))

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RemoteStorage:
    filesystem: Any  # a pyarrow FileSystem
    path: str
    uri: str

    def child(self, name: str) -> "RemoteStorage":
        base, separator, options = self.uri.partition("?")
        uri = f"{base.rstrip('/')}/{name}{separator}{options}"
        return RemoteStorage(self.filesystem, f"{self.path.rstrip('/')}/{name}", uri)

    def write(self, name: str, content: bytes) -> None:
        with self.filesystem.open_output_stream(f"{self.path}/{name}") as stream:
            stream.write(content)

    def read(self, name: str) -> bytes:
        with self.filesystem.open_input_stream(f"{self.path}/{name}") as stream:
            return bytes(stream.read())

    def names(self) -> list[str]:
        from pyarrow.fs import FileSelector

        found = self.filesystem.get_file_info(FileSelector(self.path, allow_not_found=True))
        return sorted(info.base_name for info in found if info.is_file)

    def remove(self, name: str) -> None:
        try:
            self.filesystem.delete_file(f"{self.path}/{name}")
        except FileNotFoundError:
            return
