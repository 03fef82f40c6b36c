"""Images that train and test share: counted, cached, and refused in a user's own data."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config.validation import to_json
from tune_jobs.digits_linear import JOB
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.prepare import check_duplicates, check_groups, check_metric, load_data
from tune_jobs.engine.run_state.info import describe_duplicates


def write_folder(root: Path, *, shared: int) -> None:
    generator = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 10)):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                pixels = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / label / f"{i}.png")
    for i in range(shared):
        copied = (root / "train" / "cat" / f"{i}.png").read_bytes()
        (root / "test" / "cat" / f"copy-{i}.png").write_bytes(copied)


def options_for(folder: Path, **given: object) -> Options:
    return Options.resolve(JOB, dataset=f"folder:{folder}", data_dir=folder.parent / "d", **given)


def test_own_data_with_shared_images_is_refused_unless_allowed(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=3)
    options = options_for(tmp_path / "photos")
    data = load_data(options)
    with pytest.raises(RequestError, match="3 of 23 test images are training images") as refused:
        check_duplicates(data, options)
    assert "--allow-duplicates" in str(refused.value)
    assert "(train/cat/0.png and test/cat/copy-0.png, train/cat/1.png and" in str(refused.value)
    allowed = options_for(tmp_path / "photos", allow_duplicates=True)
    assert check_duplicates(data, allowed).exact_train_test == 3


def test_own_data_without_them_passes(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=0)
    options = options_for(tmp_path / "photos")
    assert check_duplicates(load_data(options), options).exact_train_test == 0


def test_equal_images_of_different_classes_are_told_by_name(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=0)
    for number in (3, 4):
        copied = (tmp_path / "photos" / "train" / "cat" / f"{number}.png").read_bytes()
        (tmp_path / "photos" / "train" / "dog" / f"copy-{number}.png").write_bytes(copied)
    options = options_for(tmp_path / "photos")
    data = load_data(options)
    found = check_duplicates(data, options)
    assert found.num_conflicts == 2
    first, second = ({f"train/cat/{n}.png (cat)", f"train/dog/copy-{n}.png (dog)"} for n in (3, 4))
    [note] = describe_duplicates(found, data)
    told = "2 images have the pixels of an image of another class: "
    assert note.startswith(told)
    pairs = [set(pair.split(" and ")) for pair in note.removeprefix(told).split(", ")]
    assert pairs in ([first, second], [second, first])


def test_one_is_told_in_the_singular(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=1)
    copied = (tmp_path / "photos" / "train" / "cat" / "3.png").read_bytes()
    (tmp_path / "photos" / "train" / "dog" / "copy.png").write_bytes(copied)
    data = load_data(options_for(tmp_path / "photos"))
    with pytest.raises(RequestError, match=r"1 of \d+ test images is a training image"):
        check_duplicates(data, options_for(tmp_path / "photos"))
    allowed = options_for(tmp_path / "photos", allow_duplicates=True)
    shared, different = describe_duplicates(check_duplicates(data, allowed), data)
    assert shared.startswith("1 test image is a training image, pixel by pixel: train/cat/")
    assert different.startswith("1 image has the pixels of an image of another class: ")


def test_the_count_is_cached_by_content_and_split(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=2)
    options = options_for(tmp_path / "photos", allow_duplicates=True)
    data = load_data(options)
    counted = check_duplicates(data, options)
    [cached] = (tmp_path / "d" / "duplicates").iterdir()
    marked = dataclasses.replace(counted, near_train_test=77)
    cached.write_text(json.dumps(to_json(marked)))
    assert check_duplicates(data, options) == marked
    other = options_for(tmp_path / "photos", allow_duplicates=True, split_seed=1)
    assert check_duplicates(load_data(other), other).near_train_test != 77


def test_an_image_of_any_fold_is_a_training_image(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=13)
    options = options_for(tmp_path / "photos", allow_duplicates=True, folds=2)
    assert check_duplicates(load_data(options), options).exact_train_test == 13


def test_of_many_pairs_ten_are_told_and_a_file_has_them_all(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=13)  # two of which will be in validation
    options = options_for(tmp_path / "photos")
    data = load_data(options)
    for _ in range(2):  # a list that was removed is written again
        with pytest.raises(RequestError) as refused:
            check_duplicates(data, options)
        [whole] = (tmp_path / "d" / "overview").iterdir()
        assert f", ... and 1 more (all in {whole}))" in str(refused.value)
        assert str(refused.value).count(" and test/cat/copy-") == 10
        assert len(whole.read_text().splitlines()) == 11
        allowed = options_for(tmp_path / "photos", allow_duplicates=True)
        [note, *_] = describe_duplicates(check_duplicates(data, allowed), data)
        assert note.startswith(
            "11 test images are training images, pixel by pixel: train/cat/0.png"
        )
        assert note.endswith(f", ... and 1 more (all in {whole})")
        whole.unlink()


def test_a_published_set_is_told_of_but_not_stopped(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=2)
    options = options_for(tmp_path / "photos")
    data = load_data(options)
    named = dataclasses.replace(options, dataset="cifar10")
    assert check_duplicates(data, named).exact_train_test == 2


def test_groups_in_train_and_test_are_refused_unless_allowed(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=0)
    lines = [
        f"{file.relative_to(tmp_path / 'photos')},{file.parent.name},{file.parts[-3]},p{n}"
        for n, file in enumerate(sorted((tmp_path / "photos").rglob("*.png")))
    ]
    lines[-1] = lines[-1].rpartition(",")[0] + ",p0"  # a cat of test, and a dog of train
    table = tmp_path / "photos" / "list.csv"
    table.write_text("\n".join(["image,label,split,patient", *lines]))
    given = {"dataset": f"csv:{table}?group=patient", "data_dir": tmp_path / "d"}
    options = Options.resolve(JOB, **given)
    data = load_data(options)
    with pytest.raises(
        RequestError, match=r"1 group has images in train and in test.*\(p0\)"
    ) as no:
        check_groups(data, options)
    assert "--allow-duplicates" in str(no.value)
    check_groups(data, Options.resolve(JOB, allow_duplicates=True, **given))


def test_auroc_needs_two_classes_in_each_split(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", shared=0)
    options = options_for(tmp_path / "photos", metric="auroc")
    data = load_data(options)
    check_metric(data, options)
    cats = data.test_indices[data.labels_N[data.test_indices] == 0]
    alone = dataclasses.replace(data, test_indices=cats)
    with pytest.raises(RequestError, match=r"--metric = 'auroc': .* images of test are of 'cat'"):
        check_metric(alone, options)
    check_metric(alone, options_for(tmp_path / "photos", metric="macro_f1"))
