"""Images are decoded once; the cache is read back only where it is what was written."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import ImageData, load_dataset
from trainables.datasets.cache import load_or_decode
from trainables.datasets.source import Listing
from trainables.datasets.sources.folder import Folder
from trainables.datasets.spec import parse_spec

Write = Callable[..., Path]
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path, class_folders: Write) -> Path:
    return class_folders(tmp_path / "images", {"cat": 6, "dog": 6})


@pytest.fixture
def load(root: Path, data_dir: Path) -> Callable[..., ImageData]:
    def load(**options: int) -> ImageData:
        return load_dataset(f"folder:{root}", data_dir=data_dir, **options)

    return load


def folders(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "decoded").iterdir())


def test_second_start_decodes_nothing(
    root: Path, data_dir: Path, load: Callable[..., ImageData]
) -> None:
    """An image whose content is lost, at the same size and time, is not missed."""
    first = load()
    times = {file: file.stat().st_mtime_ns for file in (data_dir / "decoded").rglob("*")}
    image = root / "cat" / "000.png"
    status = image.stat()
    image.write_bytes(bytes(status.st_size))
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = load()
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.images_NHWC, first.images_NHWC)
    assert {file: file.stat().st_mtime_ns for file in (data_dir / "decoded").rglob("*")} == times


def test_images_are_on_disk_before_they_are_found(
    data_dir: Path, load: Callable[..., ImageData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would else leave black ones, under the fingerprint of what they were."""
    synced: set[int] = set()
    sync = os.fsync

    def note(descriptor: int) -> None:
        if not any(not f.name.startswith("unfinished-") for f in folders(data_dir)):
            synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    load()
    [folder] = folders(data_dir)
    written = [file for file in folder.iterdir() if file.suffix == ".npy"]
    assert {file.stat().st_ino for file in written} <= synced


def test_only_plain_arrays_and_a_json_are_written(
    data_dir: Path, load: Callable[..., ImageData]
) -> None:
    load()
    (folder,) = folders(data_dir)
    names = {file.name for file in folder.iterdir()}
    assert names == {"images.npy", "labels.npy", "names.npy", "splits.npy", "contents.json"}


def test_touched_files_are_decoded_anew_to_the_same_fingerprint(
    root: Path, data_dir: Path, load: Callable[..., ImageData]
) -> None:
    first = load()
    os.utime(root / "cat" / "000.png", ns=(1, 1))
    assert load().fingerprint == first.fingerprint
    assert len(folders(data_dir)) == 2


def test_same_content_elsewhere_has_the_same_fingerprint(
    root: Path, data_dir: Path, load: Callable[..., ImageData]
) -> None:
    first = load()
    root.rename(root.with_name("moved"))
    moved = load_dataset(f"folder:{root.with_name('moved')}", data_dir=data_dir)
    assert moved.fingerprint == first.fingerprint


@pytest.mark.parametrize("change", ["pixel", "label", "class name", "split", "size"])
def test_other_content_has_another_fingerprint(
    root: Path, load: Callable[..., ImageData], write_image: Write, change: str
) -> None:
    first = load()
    match change:
        case "pixel":
            write_image(root / "cat" / "000.png", seed=99)
        case "label":  # still the sixth of all images
            (root / "cat" / "005.png").rename(root / "dog" / "!.png")
        case "class name":
            (root / "cat").rename(root / "cats")
        case "split":
            for name in ("cat", "dog"):
                (root / "train").mkdir(exist_ok=True)
                (root / name).rename(root / "train" / name)
            (root / "test" / "cat").mkdir(parents=True)
            (root / "train" / "cat" / "000.png").rename(root / "test" / "cat" / "000.png")
    assert load(**({"image_size": 4} if change == "size" else {})).fingerprint != first.fingerprint


def test_choice_of_splits_does_not_decode(data_dir: Path, load: Callable[..., ImageData]) -> None:
    found = [load(), load(split_seed=1), load(train_size=6)]
    assert len(folders(data_dir)) == 1
    assert len({data.fingerprint for data in found}) == 1
    assert len({data.split_fingerprint for data in found}) == 3


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def replace_shape(path: Path) -> None:
    array = np.load(path)
    np.save(path, array[:-1])


class Attack:
    """What runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("attacked",)


def replace_by_a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Attack()))


def forget_shapes(path: Path) -> None:
    described = json.loads(path.read_text())
    del described["shapes"]
    path.write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (name, damage)
        for name in ("images.npy", "labels.npy", "names.npy", "splits.npy")
        for damage in (cut_short, replace_shape, replace_by_a_pickle, Path.unlink)
    ]
    + [("contents.json", damage) for damage in (cut_short, forget_shapes, Path.unlink)],
)
def test_damaged_cache_is_made_anew(
    tmp_path: Path,
    data_dir: Path,
    load: Callable[..., ImageData],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    damage: Callable[[Path], object],
) -> None:
    monkeypatch.chdir(tmp_path)
    first_fingerprint = load().fingerprint
    (folder,) = folders(data_dir)
    damage(folder / name)
    damaged = (folder / name).stat().st_size if (folder / name).exists() else 0
    again = load()
    assert again.fingerprint == first_fingerprint
    assert folders(data_dir) == [folder]
    assert (folder / name).stat().st_size != damaged
    assert len(again.labels_N) == 12
    assert not (tmp_path / "attacked").exists()


def change(old: str, new: str) -> Callable[[bytes], bytes]:
    """Replaces a text by one of the same length."""
    assert len(old) == len(new)

    def damage(content: bytes) -> bytes:
        assert content.count(old.encode()) == 1
        return content.replace(old.encode(), new.encode())

    return damage


def with_unlabelled_images(content: bytes) -> bytes:
    """As an earlier version wrote it."""
    described = json.loads(content)
    described["shapes"]["unlabelled"] = [100_000, 96, 96, 3]
    return json.dumps(described).encode()


def without_originals(content: bytes) -> bytes:
    """As an earlier version wrote it."""
    described = json.loads(content)
    del described["originals"]
    return json.dumps(described).encode()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("labels.npy", change("(12,)", "n12,)")),
        ("labels.npy", change("'<i8'", "',i8'")),
        ("labels.npy", change(": '<i8', ", ": '<i8',b")),
        ("labels.npy", change("'<i8'", "'<u8'")),
        ("labels.npy", change(f"(12,), }}{' ' * 20}", f"(12{'0' * 20},), }}")),
        ("labels.npy", lambda content: b"PK\3\4" + content),
        ("labels.npy", lambda content: b""),
        ("contents.json", lambda content: b"[]"),
        ("contents.json", lambda content: b"\xff"),
        ("contents.json", change('"fingerprint"', '"fingerprunt"')),
        ("contents.json", lambda content: re.sub(rb'"notes": \[]', b'"notes": null', content)),
        ("contents.json", with_unlabelled_images),
        ("contents.json", without_originals),
    ],
)
def test_damaged_or_foreign_bytes_are_made_anew(
    data_dir: Path,
    load: Callable[..., ImageData],
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    """numpy parses the header of a .npy file as Python: damage raises errors of all sorts."""
    first = load()
    (folder,) = folders(data_dir)
    whole = (folder / name).read_bytes()
    assert damage(whole) != whole
    (folder / name).write_bytes(damage(whole))
    assert load().fingerprint == first.fingerprint
    assert folders(data_dir) == [folder]
    assert (folder / name).read_bytes() == whole


def test_two_starts_at_once_share_one_cache(root: Path, data_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trainables.datasets import load_dataset; "
        "print(load_dataset(sys.argv[1], data_dir=Path(sys.argv[2])).fingerprint)"
    )
    command = [sys.executable, "-c", program, f"folder:{root}", str(data_dir)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) for _ in range(2)]
    fingerprints = {start.communicate()[0] for start in starts}
    assert [start.returncode for start in starts] == [0, 0]
    assert len(fingerprints) == 1
    assert len(folders(data_dir)) == 1


def test_who_comes_second_uses_the_cache_of_the_first(
    root: Path, data_dir: Path, load: Callable[..., ImageData]
) -> None:
    """The other process is done while this one still decodes."""

    class Late(Folder):
        def read(self) -> Listing:
            load()
            assert any("unfinished" in path.name for path in folders(data_dir)), "this one lives"
            (first,) = [path for path in folders(data_dir) if "unfinished" not in path.name]
            (first / "mark").touch()
            return super().read()

    contents = load_or_decode(
        Late(root, data_dir),
        parse_spec(f"folder:{root}"),
        folder=data_dir / "decoded",
        image_size=None,
    )
    (folder,) = folders(data_dir)
    assert (folder / "mark").exists()
    assert contents.fingerprint == load().fingerprint


def test_what_a_killed_process_has_left_is_removed_by_the_next(
    root: Path, data_dir: Path, load: Callable[..., ImageData]
) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from trainables.datasets import load_dataset
from trainables.datasets.sources.folder import Folder

Folder.read = lambda self: os.kill(os.getpid(), signal.SIGKILL)
load_dataset(sys.argv[1], data_dir=Path(sys.argv[2]))
"""
    command = [sys.executable, "-c", program, f"folder:{root}", str(data_dir)]
    killed = subprocess.run(command, cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name[:11] for path in folders(data_dir)] == ["unfinished-"] * 2
    load()
    [folder] = folders(data_dir)
    assert "unfinished" not in folder.name
