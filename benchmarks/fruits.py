"""fruits-49 with a column that names blocks of neighbouring frames, for `?group=block`.

Its images are frames of fruits that turn on a shaft: a frame is nearly its neighbours, so frames
drawn at random to validate on are known from those that were trained on. Test is the end of each
class's last turn, far from most frames of train, and a block that is validated on as a whole is
like it.
"""

import re
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

BLOCKS = "fruits-49-blocks"
"""The folder that has the column, beside others that are derived."""

NUM_BLOCKS = 5
"""Of each class: one of them is the fifth that is drawn to validate on."""


def write_blocks(data: Path, cache: Path) -> None:
    """Write `cache/fruits-49-blocks` from `data/fruits-49`, where that is and it is not yet."""
    for split in ("train", "test"):
        source, written = data / f"fruits-49/{split}.parquet", cache / BLOCKS / f"{split}.parquet"
        if written.exists() or not source.exists():
            continue
        written.parent.mkdir(parents=True, exist_ok=True)
        table = pq.read_table(source)
        paths = table.column("image").combine_chunks().field("path").to_pylist()
        blocks = pa.array(name_blocks(paths, split))
        with tempfile.TemporaryDirectory(dir=written.parent, prefix=".") as folder:
            whole = Path(folder) / written.name
            pq.write_table(table.append_column("block", blocks), whole, row_group_size=1024)
            whole.replace(written)


def name_blocks(paths: Sequence[str], split: str) -> list[str]:
    """Name the block of each frame: a fifth of its class's frames, in the order of the turns.

    Args:
        paths: As `Apple 11/r0_12_100.jpg`: the class, the shaft's axis, the frame's number, the
            side in pixels.
        split: What the names begin with: train and test share no block.
    """
    frames = sorted({_frame(path): path for path in paths}.items())
    named = {}
    for name, of_class in groupby(frames, key=lambda frame: frame[0][0]):
        in_order = [path for _, path in of_class]
        for place, path in enumerate(in_order):
            named[path] = f"{split} {name} {place * NUM_BLOCKS // len(in_order)}"
    return [named[path] for path in paths]


def _frame(path: str) -> tuple[str, str, int]:
    name, _, file = path.rpartition("/")
    found = re.fullmatch(r"(?:(r\d*)_)?(\d+)_\d+\.jpg", file)
    if found is None:
        raise ValueError(f"{path}: its name says no frame")
    return name, found[1] or "", int(found[2])
