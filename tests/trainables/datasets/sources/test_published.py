"""The published sets, from small files in their true formats, on disk and over HTTP."""

import gzip
import hashlib
import io
import resource
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from trainables.datasets import DatasetError
from trainables.datasets.image_data import Pixels
from trainables.datasets.load import load_dataset
from trainables.datasets.source import Arrays, Source
from trainables.datasets.sources._download import RemoteFile
from trainables.datasets.sources._idx import IdxDataset, open_idx
from trainables.datasets.sources.cifar10 import ARCHIVE as CIFAR10_ARCHIVE
from trainables.datasets.sources.cifar10 import open_cifar10
from trainables.datasets.sources.fashion_mnist import DEBIAN, FASHION_MNIST
from trainables.datasets.sources.mnist import MNIST
from trainables.datasets.sources.stl10 import ARCHIVE as STL10_ARCHIVE
from trainables.datasets.sources.stl10 import open_stl10

NUM_TRAIN, NUM_TEST = 30, 10
LABELS = {
    "train": np.arange(NUM_TRAIN, dtype=np.uint8) % 10,
    "test": np.arange(NUM_TEST, dtype=np.uint8) % 10,
}


def noise(num_images: int, *shape: int) -> Pixels:
    generator = np.random.default_rng(num_images)
    return generator.integers(0, 256, (num_images, *shape), dtype=np.uint8)


def idx(values: Pixels) -> bytes:
    lengths = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes([0, 0, 8, values.ndim]) + lengths + values.tobytes()


def mnist_files() -> dict[str, bytes]:
    return {
        f"{prefix}-{kind}.gz": gzip.compress(idx(values))
        for prefix, split, count in (("train", "train", NUM_TRAIN), ("t10k", "test", NUM_TEST))
        for kind, values in (
            ("images-idx3-ubyte", noise(count, 28, 28)),
            ("labels-idx1-ubyte", LABELS[split]),
        )
    }


def cifar10_files() -> dict[str, bytes]:
    def records(images_NCHW: Pixels, labels_N: Pixels) -> bytes:
        flat = images_NCHW.reshape(len(images_NCHW), -1)
        return np.concatenate([labels_N[:, np.newaxis], flat], axis=1).tobytes()

    train_NCHW, labels_N = noise(NUM_TRAIN, 3, 32, 32), LABELS["train"]
    files = {
        f"data_batch_{number + 1}.bin": records(train_NCHW[part], labels_N[part])
        for number in range(5)
        for part in [slice(6 * number, 6 * number + 6)]
    }
    return files | {"test_batch.bin": records(noise(NUM_TEST, 3, 32, 32), LABELS["test"])}


def stl10_files() -> dict[str, bytes]:
    """Colour planes, in each the columns of pixels one after the other."""
    images = {"train": noise(NUM_TRAIN, 96, 96, 3), "test": noise(NUM_TEST, 96, 96, 3)}
    files = {
        f"{split}_X.bin": images_NHWC.transpose(0, 3, 2, 1).tobytes()
        for split, images_NHWC in images.items()
    }
    files |= {f"{split}_y.bin": (LABELS[split] + 1).tobytes() for split in images}
    return files | {"unlabeled_X.bin": noise(4, 96, 96, 3).transpose(0, 3, 2, 1).tobytes()}


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def archive(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def read(source: Source) -> Arrays:
    given = source.read()
    assert isinstance(given, Arrays)
    assert given.labels_N.tolist() == [*LABELS["train"], *LABELS["test"]]
    assert given.splits_N.tolist() == [0] * NUM_TRAIN + [2] * NUM_TEST
    return given


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the URL under which it is served, on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "web"
    folder.mkdir()
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def served(file: RemoteFile, content: bytes, url: str) -> RemoteFile:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return replace(file, mirrors=(f"{url}gone/", url), md5=md5)


def served_mnist(dataset: IdxDataset, url: str) -> IdxDataset:
    contents = mnist_files()
    files = tuple(served(file, contents[file.name], url) for file in dataset.files)
    return replace(dataset, files=files, packaged=None)


# On disk, where torchvision or a user has put them


@pytest.mark.parametrize("dataset", [MNIST, FASHION_MNIST], ids=lambda dataset: dataset.name)
@pytest.mark.parametrize("unpacked", [False, True])
def test_mnist_on_disk(tmp_path: Path, dataset: IdxDataset, unpacked: bool) -> None:
    files = mnist_files()
    if unpacked:
        files = {name[:-3]: gzip.decompress(content) for name, content in files.items()}
    write(tmp_path / dataset.folder, files)
    given = read(open_idx(dataset, tmp_path))
    expected = np.concatenate([noise(NUM_TRAIN, 28, 28), noise(NUM_TEST, 28, 28)])
    np.testing.assert_array_equal(given.images_NHWC[..., 0], expected)
    assert len(given.class_names) == 10


def test_fashion_mnist_is_loaded_by_name(tmp_path: Path) -> None:
    write(tmp_path / "FashionMNIST/raw", mnist_files())
    data = load_dataset("fashion-mnist", data_dir=tmp_path)
    assert data.images_NHWC.shape == (40, 28, 28, 1)
    assert data.class_names[0] == "T-shirt/top"
    assert data.test_indices.tolist() == list(range(30, 40))
    assert (len(data.train_indices), len(data.validation_indices)) == (20, 10)


def test_fashion_mnist_is_found_where_debian_packages_it(tmp_path: Path) -> None:
    assert FASHION_MNIST.packaged == DEBIAN
    package, data_dir = tmp_path / "package", tmp_path / "data"
    write(package, mnist_files())
    dataset = replace(FASHION_MNIST, packaged=package)
    read(open_idx(dataset, data_dir))
    assert not data_dir.exists()
    write(data_dir / dataset.folder, mnist_files())
    assert open_idx(dataset, data_dir).root == data_dir / dataset.folder
    (data_dir / dataset.folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert open_idx(dataset, data_dir).root == package


def test_half_a_package_is_none(tmp_path: Path, web: tuple[Path, str]) -> None:
    package, data_dir = tmp_path / "package", tmp_path / "data"
    write(package, mnist_files())
    (package / "train-labels-idx1-ubyte.gz").unlink()
    write(web[0], mnist_files())
    dataset = replace(served_mnist(FASHION_MNIST, web[1]), packaged=package)
    assert open_idx(dataset, data_dir).root == data_dir / dataset.folder


@pytest.mark.parametrize("packed", [False, True])
def test_cifar10_on_disk(tmp_path: Path, packed: bool) -> None:
    if packed:
        content = archive("cifar-10-batches-bin", cifar10_files())
        write(tmp_path, {"cifar-10-binary.tar.gz": content})
    else:
        write(tmp_path / "cifar-10-batches-bin", cifar10_files())
    given = read(open_cifar10(tmp_path))
    expected = np.concatenate([noise(NUM_TRAIN, 3, 32, 32), noise(NUM_TEST, 3, 32, 32)])
    np.testing.assert_array_equal(given.images_NHWC, expected.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("packed", [False, True])
def test_stl10_on_disk(tmp_path: Path, packed: bool) -> None:
    files = stl10_files()
    if packed:
        write(tmp_path, {"stl10_binary.tar.gz": archive("stl10_binary", files)})
    else:
        write(tmp_path / "stl10_binary", files)
    given = read(open_stl10(tmp_path))
    expected = np.concatenate([noise(NUM_TRAIN, 96, 96, 3), noise(NUM_TEST, 96, 96, 3)])
    np.testing.assert_array_equal(given.images_NHWC, expected)


def test_stl10_images_without_labels_are_neither_unpacked_nor_read(tmp_path: Path) -> None:
    """They are 2.8 GB, which nothing would train on."""
    write(tmp_path, {"stl10_binary.tar.gz": archive("stl10_binary", stl10_files())})
    first = load_dataset("stl10", data_dir=tmp_path)
    unread = tmp_path / "stl10_binary" / "unlabeled_X.bin"
    assert not unread.exists()
    unread.write_bytes(stl10_files()[unread.name])  # as a folder that torchvision unpacked has it
    assert load_dataset("stl10", data_dir=tmp_path).fingerprint == first.fingerprint
    (decoded,) = (tmp_path / "decoded").iterdir()
    names = {file.name for file in decoded.iterdir()}
    assert names == {"images.npy", "labels.npy", "names.npy", "splits.npy", "contents.json"}


# Damage


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("train-images-idx3-ubyte.gz", lambda content: content[:-20]),
        ("train-images-idx3-ubyte.gz", lambda content: b"<html>not found</html>"),
        ("train-images-idx3-ubyte.gz", lambda content: gzip.compress(b"\0\0\x0d\1\0\0\0\0")),
        ("train-images-idx3-ubyte.gz", lambda content: gzip.compress(b"")),
        ("t10k-images-idx3-ubyte.gz", lambda content: gzip.compress(gzip.decompress(content)[:-1])),
        ("train-images-idx3-ubyte.gz", lambda content: gzip.compress(b"\0\0\x08\3\0")),
        ("train-images-idx3-ubyte.gz", lambda content: gzip.compress(idx(LABELS["train"]))),
        ("train-labels-idx1-ubyte.gz", lambda content: gzip.compress(b"\0\0\x08\0\0")),
        ("t10k-labels-idx1-ubyte.gz", lambda content: gzip.compress(idx(noise(9)))),
        ("t10k-labels-idx1-ubyte.gz", lambda content: gzip.compress(idx(noise(10)))),
    ],
)
def test_damaged_mnist(tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    files = mnist_files()
    files[name] = damage(files[name])
    write(tmp_path / "MNIST/raw", files)
    with pytest.raises(DatasetError, match=r"MNIST/raw.* is damaged: .*Delete it"):
        load_dataset("mnist", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["data_batch_3.bin", "test_batch.bin"])
def test_damaged_cifar10(tmp_path: Path, name: str) -> None:
    files = cifar10_files()
    files[name] = files[name][:-1]
    write(tmp_path / "cifar-10-batches-bin", files)
    with pytest.raises(DatasetError, match=rf"{name} is damaged"):
        load_dataset("cifar10", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["train_X.bin", "train_y.bin", "test_X.bin"])
def test_damaged_stl10(tmp_path: Path, name: str) -> None:
    files = stl10_files()
    files[name] = files[name][:-1]
    write(tmp_path / "stl10_binary", files)
    with pytest.raises(DatasetError, match=r"stl10_binary.* is damaged"):
        load_dataset("stl10", data_dir=tmp_path)


def test_damaged_archive(tmp_path: Path) -> None:
    content = archive("cifar-10-batches-bin", cifar10_files())
    write(tmp_path, {"cifar-10-binary.tar.gz": content[: len(content) // 2]})
    with pytest.raises(DatasetError, match=r"cifar-10-binary\.tar\.gz is damaged"):
        open_cifar10(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-binary.tar.gz"]


def test_a_full_disk_is_no_damage_to_the_archive(tmp_path: Path) -> None:
    """A limit on the size of files stands for the end of the disk."""
    write(tmp_path, {"cifar-10-binary.tar.gz": archive("cifar-10-batches-bin", cifar10_files())})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        with pytest.raises(
            DatasetError, match=r"cannot be unpacked .*: File too large\. Make room"
        ):
            open_cifar10(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-binary.tar.gz"]


def test_archive_that_lacks_a_file(tmp_path: Path) -> None:
    files = cifar10_files()
    del files["test_batch.bin"]
    write(tmp_path, {"cifar-10-binary.tar.gz": archive("cifar-10-batches-bin", files)})
    with pytest.raises(DatasetError, match=r"lacks test_batch\.bin"):
        open_cifar10(tmp_path)


def test_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    files = cifar10_files() | {"../../escaped.bin": b"x", "other.bin": b"x"}
    data_dir = tmp_path / "a" / "b"
    write(data_dir, {"cifar-10-binary.tar.gz": archive("cifar-10-batches-bin", files)})
    open_cifar10(data_dir)
    found = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"cifar-10-binary.tar.gz", *cifar10_files()}


# Over HTTP


def test_missing_mnist_files_are_downloaded(tmp_path: Path, web: tuple[Path, str]) -> None:
    """From the second mirror: the first does not have them."""
    folder, url = web
    write(folder, mnist_files())
    kept = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte.gz"
    write(kept.parent, {kept.name: mnist_files()[kept.name]})
    before = kept.stat().st_mtime_ns
    read(open_idx(served_mnist(MNIST, url), tmp_path))
    assert {path.name for path in kept.parent.iterdir()} == set(mnist_files())
    assert kept.stat().st_mtime_ns == before


def test_cifar10_is_downloaded_once(tmp_path: Path, web: tuple[Path, str]) -> None:
    folder, url = web
    content = archive("cifar-10-batches-bin", cifar10_files())
    write(folder, {CIFAR10_ARCHIVE.name: content})
    remote = served(CIFAR10_ARCHIVE, content, url)
    read(open_cifar10(tmp_path, remote))
    (folder / CIFAR10_ARCHIVE.name).unlink()
    read(open_cifar10(tmp_path, remote))


def test_stl10_is_downloaded(tmp_path: Path, web: tuple[Path, str]) -> None:
    folder, url = web
    content = archive("stl10_binary", stl10_files())
    write(folder, {STL10_ARCHIVE.name: content})
    read(open_stl10(tmp_path, served(STL10_ARCHIVE, content, url)))


def test_wrong_checksum_is_refused(tmp_path: Path, web: tuple[Path, str]) -> None:
    folder, url = web
    write(folder, mnist_files() | {"train-labels-idx1-ubyte.gz": b"something else"})
    with pytest.raises(DatasetError, match=r"md5 is \w{32}, but must be \w{32}"):
        open_idx(served_mnist(MNIST, url), tmp_path)
    kept = {path.name for path in (tmp_path / "MNIST/raw").iterdir()}
    assert kept == {"train-images-idx3-ubyte.gz"}


def test_without_a_network_the_error_says_what_to_put_where(
    tmp_path: Path, web: tuple[Path, str]
) -> None:
    """A mirror that has nothing stands for a network that is not there."""
    with pytest.raises(DatasetError) as raised:
        open_idx(served_mnist(FASHION_MNIST, web[1]), tmp_path)
    message = str(raised.value)
    assert message.startswith("--dataset fashion-mnist is not in ")
    assert str(tmp_path / "FashionMNIST/raw") in message
    for name in mnist_files():
        assert f"\n  {name}  (md5 " in message
    for way in ("folder:PATH", "csv:PATH", "parquet:PATH"):
        assert way in message


def test_no_server_at_all_is_the_same_error(tmp_path: Path) -> None:
    remote = replace(CIFAR10_ARCHIVE, mirrors=("http://127.0.0.1:1/",))
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        open_cifar10(tmp_path, remote)
