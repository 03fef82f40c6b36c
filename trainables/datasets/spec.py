"""The text of `--dataset`, taken apart."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from trainables.datasets.errors import DatasetError

PUBLISHED = ("digits", "fashion-mnist", "mnist", "cifar10", "stl10")
OPTIONS: dict[str, tuple[str, ...]] = {
    "folder": (),
    "csv": ("image", "label"),
    "parquet": ("image", "label"),
    "generated": ("classes", "images"),
}
SHAPE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})x([13])")
WAYS_TO_GIVE_DATA = f"""\
Ways to give data:
  {", ".join(PUBLISHED)}: published sets (all but digits are downloaded)
  folder:PATH   a folder per class, with or without train/val/test above
  csv:PATH      an image column, a label column, perhaps a split column; ?image=NAME&label=NAME
  parquet:PATH  a file or a folder in the image layout of Hugging Face; ?image=NAME&label=NAME
  generated:HxWxC   made up, to try a job without its data; ?classes=K&images=N"""


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
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in OPTIONS[kind] or not value:
            allowed = " and ".join(f"{option}=NAME" for option in OPTIONS[kind]) or "none"
            raise invalid(text, f"its options may be: {allowed}", name, OPTIONS[kind])
    if kind == "generated":
        _check_generated(text, written, options)
        return Spec(text, kind, Path(written), options)
    path = Path(written).expanduser().resolve()
    if (kind == "folder" and not path.is_dir()) or (kind == "csv" and not path.is_file()):
        raise invalid(text, f"there is no {'file' if kind == 'csv' else 'folder'} {path}")
    if not path.exists():
        raise invalid(text, f"there is no file or folder {path}")
    return Spec(text, kind, path, options)


def _check_generated(text: str, shape: str, options: dict[str, str]) -> None:
    if not SHAPE.fullmatch(shape):
        raise invalid(text, "the shape must be HEIGHTxWIDTHxCHANNELS, 28x28x1 for instance")
    for name, value in options.items():
        if not value.isdecimal() or int(value) < (2 if name == "classes" else 1):
            raise invalid(text, f"{name} must be a number, of classes at least 2")
    classes, images = int(options.get("classes", "10")), options.get("images")
    if images and int(images) < 5 * classes:
        raise invalid(text, f"images must be at least {5 * classes}, 5 of each class")


def invalid(
    text: str, rule: str, name: str = "", known: tuple[str, ...] = (*PUBLISHED, *OPTIONS)
) -> DatasetError:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest and nearest[0] != name else ""
    return DatasetError(
        f"the value of --dataset is {text!r}, but {rule}.{hint}\n{WAYS_TO_GIVE_DATA}"
    )
