"""Fetches the files of published sets: checked, then moved into place whole."""

import gzip
import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainables.datasets.errors import DatasetError
from trainables.progress import progress_bar
from trainables.storage.unfinished import unfinished_folder

BLOCK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """Names a file, the folders on the web that hold it, and its checksum."""

    name: str
    mirrors: tuple[str, ...]  # URLs that end with a slash
    md5: str


def fetch_all(dataset: str, files: Sequence[RemoteFile], folder: Path) -> None:
    """Fetch files into `folder`; raises `DatasetError` that says how to do without a network."""
    from http.client import HTTPException

    for file in files:
        reasons = []
        for mirror in file.mirrors:
            try:
                fetch(file, mirror, folder)
                break
            except (OSError, HTTPException) as error:
                reasons.append(f"{mirror}{file.name}: {error}")
        else:
            raise cannot_download(dataset, files, folder, reasons)


def fetch(file: RemoteFile, mirror: str, folder: Path) -> None:
    """Fetch a file under a temporary name; raises `OSError` where its checksum is not `md5`."""
    from urllib.request import urlopen

    folder.mkdir(parents=True, exist_ok=True)
    url = mirror + file.name
    with unfinished_folder(folder) as unfinished:
        path = unfinished / file.name
        digest = hashlib.md5(usedforsecurity=False)
        with (
            urlopen(url, timeout=TIMEOUT_SECONDS) as answer,  # noqa: S310 (constants)
            path.open("wb") as target,
            progress_bar(f"Downloading {file.name}", answer.length, of_bytes=True) as advance,
        ):
            while block := answer.read(BLOCK_BYTES):
                digest.update(block)
                target.write(block)
                advance(len(block))
        if digest.hexdigest() != file.md5:
            raise OSError(f"its md5 is {digest.hexdigest()}, but must be {file.md5}")
        path.replace(folder / file.name)


def cannot_download(
    dataset: str, files: Sequence[RemoteFile], folder: Path, reasons: Sequence[str]
) -> DatasetError:
    """Make the error that says why, and which files to put where."""
    return DatasetError(
        "\n".join(
            [
                f"--dataset {dataset} is not in {folder} and cannot be downloaded:",
                *(f"  {reason}" for reason in reasons),
                f"Without a network, put these files into {folder} yourself:",
                *(f"  {file.name}  (md5 {file.md5})" for file in files),
                "or give images of your own: --dataset folder:PATH, csv:PATH or parquet:PATH.",
            ]
        )
    )


def fetch_unpacked(
    dataset: str, archive: RemoteFile, names: Collection[str], folder: Path, data_dir: Path
) -> None:
    """Unpack an archive where `folder` lacks a file; it is downloaded when missing itself."""
    if all((folder / name).is_file() for name in names):
        return
    if not (data_dir / archive.name).is_file():
        fetch_all(dataset, [archive], data_dir)
    unpack(data_dir / archive.name, names, folder)


def unpack(archive: Path, names: Collection[str], folder: Path) -> None:
    """Write the members of these names, wherever they are in the archive, into `folder`.

    Raises `DatasetError` where the archive is damaged or lacks one of them, or the disk is full.
    """
    with unfinished_folder(archive.parent) as unfinished:
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    name = PurePosixPath(member.name).name
                    content = tar.extractfile(member) if name in names else None
                    if content is not None:
                        with (unfinished / name).open("wb") as target:
                            shutil.copyfileobj(content, target, BLOCK_BYTES)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DatasetError(
                f"{archive} is damaged: {error}. Delete it, so that it is fetched anew."
            ) from error
        except OSError as error:
            raise DatasetError(
                f"{archive} cannot be unpacked into {folder}: {error.strerror}. Make room there, "
                "or give another --data-dir."
            ) from error
        lacking = sorted(set(names) - {file.name for file in unfinished.iterdir()})
        if lacking:
            raise DatasetError(f"{archive} lacks {', '.join(lacking)}.")
        folder.mkdir(exist_ok=True)
        for file in unfinished.iterdir():
            file.replace(folder / file.name)
