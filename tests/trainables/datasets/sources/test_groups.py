"""`?group=` of csv: and parquet: a column says which images belong together."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from trainables.datasets import DatasetError, ImageData, load_dataset
from trainables.datasets.splits.groups import describe_groups

Load = Callable[..., ImageData]


@pytest.fixture(params=["csv", "parquet"])
def load(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    data_dir: Path,
    class_folders: Callable[..., Path],
) -> Load:
    """Writes a table of four images of each patient, half of whom are cats, and loads it."""

    def load(
        patients: Sequence[str],
        options: str = "?group=patient",
        splits: Sequence[str] = (),
    ) -> ImageData:
        root = tmp_path / "images"
        class_folders(root, {"cat": 40, "dog": 40})
        lines = ["image,label,patient" + (",split" if splits else "")]
        used = {"cat": 0, "dog": 0}
        for number, patient in enumerate(patients):
            name = "cat" if number % 2 else "dog"
            for _ in range(4):
                line = f"{name}/{used[name]:03}.png,{name},{patient}"
                lines.append(line + (f",{splits[number]}" if splits else ""))
                used[name] += 1
        table = root / "all.csv"
        table.write_text("\n".join(lines) + "\n")
        if request.param == "parquet":
            pq.write_table(pyarrow.csv.read_csv(table), root / "all.parquet")
        return load_dataset(
            f"{request.param}:{root / 'all'}.{request.param}{options}", data_dir=data_dir
        )

    return load


TWENTY = [f"p{number}" for number in range(20)]


def splits_of(data: ImageData) -> list[set[str]]:
    assert data.groups_N is not None
    parts = data.train_indices, data.validation_indices, data.test_indices
    return [set(data.groups_N[part].tolist()) for part in parts]


def test_each_group_is_in_one_split(load: Load) -> None:
    data = load(TWENTY)
    assert [len(groups) for groups in splits_of(data)] == [12, 4, 4]
    assert set.union(*splits_of(data)) == set(TWENTY)
    assert describe_groups(data) == []


def test_groups_are_part_of_the_splits_fingerprint_and_not_of_the_datas(load: Load) -> None:
    without, with_groups = load(TWENTY, ""), load(TWENTY)
    assert without.groups_N is None
    assert without.fingerprint == with_groups.fingerprint
    assert without.split_fingerprint != with_groups.split_fingerprint
    assert load(TWENTY).split_fingerprint == with_groups.split_fingerprint
    given = [("train", "val", "test")[number // 2 % 3] for number in range(20)]
    without, with_groups = load(TWENTY, "", splits=given), load(TWENTY, splits=given)
    assert without.split_fingerprint != with_groups.split_fingerprint


def test_a_column_that_may_hold_groups_is_proposed(load: Load) -> None:
    [note] = load(TWENTY, "").notes
    assert note == (
        "column 'patient' may say which images belong together, but is not used; "
        "?group=patient keeps them in one split"
    )
    assert load(TWENTY).notes == ()


def test_numbers_of_patients_are_groups(load: Load) -> None:
    data = load(list(map(str, range(20))))
    assert set.union(*splits_of(data)) == set(map(str, range(20)))


def test_no_such_column(load: Load) -> None:
    with pytest.raises(DatasetError) as error:
        load(TWENTY, "?group=patent")
    assert "no column 'patent' among 'image', 'label', 'patient' (did you mean 'patient'?)" in str(
        error.value
    )


def test_empty_cells_are_listed_by_line_or_row(load: Load) -> None:
    with pytest.raises(DatasetError) as error:
        load(["", *TWENTY[1:]])
    lines = str(error.value).splitlines()
    assert lines[0].endswith("has 4 problems:")
    assert "group missing: it must say what the image belongs to" in lines[1]
    assert lines[1].strip().startswith(("all.csv:2:", "all.parquet:row 0:"))


@pytest.mark.parametrize(
    ("patients", "told"),
    [
        (["one"] * 20, "?group=: 1 group to train on, but at least 3 are needed"),
        (["one", "two"] * 10, "?group=: 2 groups to train on, but at least 3 are needed"),
        (
            [name if number % 2 else "all dogs" for number, name in enumerate(TWENTY)],
            "class 'dog': its images to train on are of 1 group, but at least 3 are needed, since "
            "a group is in one split as a whole, and validation and test must have images too",
        ),
    ],
)
def test_too_few_groups(load: Load, patients: list[str], told: str) -> None:
    with pytest.raises(DatasetError) as error:
        load(patients)
    assert told in str(error.value)
    assert "has 1 problem:" in str(error.value)


def test_groups_in_several_splits_of_the_datas_own_are_told(load: Load) -> None:
    given = [("train", "val", "test", "train")[number // 2 % 4] for number in range(20)]
    shared = ["p0" if number in (4, 6) else name for number, name in enumerate(TWENTY)]
    notes = describe_groups(load(shared, splits=given))
    assert notes == ["1 group has images in train and in test: p0"]
