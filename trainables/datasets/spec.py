"""The text of `--dataset`, taken apart."""

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from trainables.datasets.errors import DatasetError

PUBLISHED = ("digits", "fashion-mnist", "mnist", "cifar10", "stl10")
OPTIONS: dict[str, tuple[str, ...]] = {
    "folder": (),
    "csv": ("image", "label"),
    "parquet": ("image", "label"),
}
WAYS_TO_GIVE_DATA = f"""\
Ways to give data:
  {", ".join(PUBLISHED)}: published sets (all but digits are downloaded)
  folder:PATH   a folder per class, with or without train/val/test above
  csv:PATH      an image column, a label column, perhaps a split column; ?image=NAME&label=NAME
  parquet:PATH  a file or a folder in the image layout of Hugging Face; ?image=NAME&label=NAME"""


@dataclass(frozen=True, slots=True)
class Spec:
    """`kind`, `kind:PATH` or `kind:PATH?option=value`; `text` is what the user wrote."""

    text: str
    kind: str
    path: Path
    options: dict[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    kind, has_path, rest = text.partition(":")
    if kind in PUBLISHED:
        if has_path:
            raise invalid(text, f"must be {kind!r} alone")
        return Spec(text, kind, Path())
    if kind not in OPTIONS:
        raise invalid(text, f"must begin with one of {', '.join((*PUBLISHED, *OPTIONS))}", kind)
    written, _, query = rest.partition("?")
    if not written:
        raise invalid(text, f"must give a path, as {kind}:PATH")
    path = Path(written).expanduser().resolve()
    if (kind == "folder" and not path.is_dir()) or (kind == "csv" and not path.is_file()):
        raise invalid(text, f"there is no {'file' if kind == 'csv' else 'folder'} {path}")
    if not path.exists():
        raise invalid(text, f"there is no file or folder {path}")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in OPTIONS[kind] or not value:
            allowed = " and ".join(f"{option}=NAME" for option in OPTIONS[kind]) or "none"
            raise invalid(text, f"its options may be: {allowed}", name, OPTIONS[kind])
    return Spec(text, kind, path, options)


def invalid(
    text: str, rule: str, name: str = "", known: tuple[str, ...] = (*PUBLISHED, *OPTIONS)
) -> DatasetError:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest and nearest[0] != name else ""
    return DatasetError(
        f"the value of --dataset is {text!r}, but {rule}.{hint}\n{WAYS_TO_GIVE_DATA}"
    )
