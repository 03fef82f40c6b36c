"""Read and write a run's files by the same few calls, in a folder or in an object store."""

from trainables.storage.errors import STORAGE_ERRNOS, StorageError, storage_errors
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
)

__all__ = [
    "STORAGE_ERRNOS",
    "LocalStorage",
    "RemoteStorage",
    "Storage",
    "StorageError",
    "fetched",
    "files_for",
    "is_uri",
    "open_storage",
    "patient",
    "split_name",
    "storage_errors",
]
