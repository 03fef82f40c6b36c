"""Files that the system does not give, of the data or of --data-dir."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trainables.datasets import DatasetError, load_dataset

Write = Callable[..., Path]
REPOSITORY = Path(__file__).parents[3]
LOAD = """
import sys
from pathlib import Path
from trainables.datasets import DatasetError, load_dataset

try:
    load_dataset(sys.argv[1], data_dir=Path(sys.argv[2]))
except DatasetError as error:
    print(error)
"""


def test_a_class_that_may_not_be_read_is_named(
    tmp_path: Path, data_dir: Path, class_folders: Write
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    (root / "dog").chmod(0)
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # root may read all
    command = [*(drop if os.geteuid() == 0 else []), sys.executable, "-c", LOAD, f"folder:{root}"]
    done = subprocess.run(
        [*command, str(data_dir)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    (root / "dog").chmod(0o755)
    assert f"--dataset is 'folder:{root}', but {root / 'dog'} cannot be read (Perm" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("inside", ["", "decoded"])
def test_a_file_in_the_way_of_what_is_kept(
    tmp_path: Path, data_dir: Path, class_folders: Write, inside: str
) -> None:
    root = class_folders(tmp_path / "images", {"cat": 3, "dog": 3})
    (data_dir / inside).parent.mkdir(parents=True, exist_ok=True)
    (data_dir / inside).write_text("in the way")
    with pytest.raises(DatasetError) as raised:
        load_dataset(f"folder:{root}", data_dir=data_dir)
    assert f"the value of --data-dir is '{data_dir}', but {data_dir / 'decoded'} cannot" in str(
        raised.value
    )
