"""Read and write a run's files by the same few calls, in a folder or in an object store."""

from trainables.storage.errors import (
    OtherDiskError,
    StorageError,
    storage_errors,
    to_storage_error,
)
from trainables.storage.places import (
    LocalStorage,
    RemoteStorage,
    Storage,
    fetched,
    files_for,
    is_uri,
    open_storage,
    patient,
    split_name,
    split_options,
    sync,
)

__all__ = [
    "LocalStorage",
    "OtherDiskError",
    "RemoteStorage",
    "Storage",
    "StorageError",
    "fetched",
    "files_for",
    "is_uri",
    "open_storage",
    "patient",
    "split_name",
    "split_options",
    "storage_errors",
    "sync",
    "to_storage_error",
]
