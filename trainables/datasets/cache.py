"""Decoded images on disk, under a key made of the files they come from.

Every process maps them from there, so that a machine holds their pages once, and only as many of
them as its memory has room for.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from trainables.datasets.contents import Contents, read_contents, write_contents
from trainables.datasets.errors import OVERVIEW
from trainables.datasets.image_data import ImageData
from trainables.datasets.source import Source, Spec
from trainables.storage import sync
from trainables.storage.lock import one_at_a_time
from trainables.storage.unfinished import unfinished_folder

VERSION = 3  # of what is written, of how files are understood and images decoded


def load_or_decode(
    source: Source, spec: Spec, *, folder: Path, image_size: tuple[int, int] | None
) -> Contents:
    """Read what an earlier start decoded, or decode it; two processes may do so at once.

    Raises:
        DatasetError: The data has problems; nothing is written then but, beside `folder`, their
            list where it is long.
    """
    target = folder / cache_key(source, spec, image_size)
    contents = read_contents(target)
    if contents is not None:
        return contents
    folder.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(folder) as unfinished:
        written = unfinished / target.name
        written.mkdir()
        write_contents(
            source.read(),
            written,
            source=spec.text,
            root=source.root,
            image_size=image_size,
            lists=folder.with_name(OVERVIEW),
        )
        _publish(written, target)
    contents = read_contents(target)
    if contents is None:
        raise OSError(f"{target} cannot be read back; is the disk sound?")
    return contents


def find_decoded(fingerprint: str, folder: Path) -> Contents | None:
    """Find the images of a fingerprint among those decoded into `folder`; `None`: they are
    not there. Nothing is downloaded or decoded."""
    found = map(read_contents, sorted(folder.glob("*")))
    return next((c for c in found if c is not None and c.fingerprint == fingerprint), None)


def without_arrays(data: ImageData) -> ImageData:
    """Leave out what `with_arrays` maps again, on any machine that has the decoded images."""
    if data.decoded is None:
        return data
    groups_N = None if data.groups_N is None else data.groups_N[:0]
    return replace(
        data, images_NHWC=data.images_NHWC[:0], names_N=data.names_N[:0], groups_N=groups_N
    )


def with_arrays(data: ImageData, parts: Iterable[tuple[str, bytes]]) -> ImageData:
    """Map what `without_arrays` left out from `data.decoded`, which is made first where it lacks.

    Processes of a machine wait for the one that makes it.

    Args:
        parts: The content of the folder, by name of file and in order; read where it is needed.

    Raises:
        OSError: The folder cannot be made, or is not what it was.
    """
    if data.decoded is None:
        return data
    contents = _read(data)
    if contents is None:
        with one_at_a_time(data.decoded.with_suffix(".lock")):
            contents = _read(data) or _receive(data, data.decoded, parts)
    return replace(
        data,
        images_NHWC=contents.images_NHWC,
        names_N=contents.names_N,
        groups_N=contents.groups_N,
    )


def _read(data: ImageData) -> Contents | None:
    contents = read_contents(data.decoded) if data.decoded else None
    return contents if contents and contents.fingerprint == data.fingerprint else None


def _receive(data: ImageData, folder: Path, parts: Iterable[tuple[str, bytes]]) -> Contents:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    unfinished.mkdir()
    try:
        for name, part in parts:
            with (unfinished / name).open("ab") as file:
                file.write(part)
        received = read_contents(unfinished)
        if not (received and received.fingerprint == data.fingerprint and received.is_sound()):
            raise OSError("what was received is not what was sent")
        _publish(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return replace(received, folder=folder)


def cache_key(source: Source, spec: Spec, image_size: tuple[int, int] | None) -> str:
    """Make the name of the folder for these images, of what they are decoded from and how.

    The paths count, since files of equal sizes and times at two places need not be equal.
    """
    paths = str(spec.path), str(source.root)
    identity = VERSION, spec.kind, paths, sorted(spec.options.items()), image_size
    digest = hashlib.sha256(repr(identity).encode())
    for state in sorted(_file_states(source)):
        digest.update(repr(state).encode())
    return digest.hexdigest()


def _file_states(source: Source) -> Iterator[tuple[str, int, int]]:
    """Yield (path, size, time of modification) of each; reading reports a missing file."""
    root = str(source.root)
    for relative in source.files():
        try:
            status = os.stat(os.path.join(root, relative))  # noqa: PTH116, PTH118 (many files)
        except (OSError, ValueError):
            yield relative, -1, -1
        else:
            yield relative, status.st_size, status.st_mtime_ns


def _publish(written: Path, target: Path) -> None:
    """Move a whole folder into place, unless another process did so in the meantime.

    Its files are on disk before: images that a power cut has left black would be of the right
    shape, and taken for sound by every run to come.
    """
    for file in written.iterdir():
        sync(file)
    if read_contents(target) is None:
        shutil.rmtree(target, ignore_errors=True)
    try:
        written.rename(target)
    except OSError:
        if read_contents(target) is None:
            raise
    sync(target.parent)
