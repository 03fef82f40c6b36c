"""The Parquet files of a data set as the Hugging Face hub names them: splits and shards.

https://huggingface.co/docs/hub/datasets-file-names-and-splits
"""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainables.datasets.own_data.split_names import splits_within
from trainables.datasets.source import Split

SHARD = re.compile(r"(?P<of>.*)-(?P<index>\d{5})-of-(?P<count>\d{5})(?P<rest>[^/]*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class HubFiles:
    """Says which files are read for which split, what is wrong, and what was left out."""

    splits: Mapping[str, Split]
    problems: list[str]
    notes: list[str]


def list_parquet(root: Path) -> list[str]:
    """List the Parquet files below a folder, relative to it; not those in hidden folders."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(folder, name).relative_to(root).as_posix() for name in names]
    return sorted(
        name for name in found if name.endswith(".parquet") and not Path(name).name.startswith(".")
    )


def sort_files(names: Sequence[str]) -> HubFiles:
    """Find the split of each file by a word of its name, or else of the folders above it."""
    words = {name: _split_words(name) for name in names}
    if not any(words.values()):
        found = HubFiles(splits=dict.fromkeys(names, Split.TRAIN), problems=[], notes=[])
    else:
        found = _by_words(words)
    found.problems[:0] = [*_configurations(found.splits), *_missing_shards(names)]
    return found


def _split_words(name: str) -> set[Split]:
    path = PurePosixPath(name)
    for part in (path.stem, *reversed(path.parent.parts)):
        if splits := splits_within(part):
            return splits
    return set()


def _by_words(words: Mapping[str, set[Split]]) -> HubFiles:
    splits, problems, others = {}, [], []
    for name, found in words.items():
        if len(found) == 1:
            splits[name] = next(iter(found))
        elif found:
            problems.append(f"{name}: its name has words of several splits")
        elif SHARD.fullmatch(name):
            others.append(name)
        else:
            problems.append(f"{name}: its name has none of train, validation and test")
    reason = "is left out: a split that is none of train, validation and test"
    notes = [f"{name} {reason}" for name in others]
    return HubFiles(splits=splits, problems=problems, notes=notes)


def _configurations(splits: Mapping[str, Split]) -> list[str]:
    """Refuse to join what folders keep apart: several files of a split, in several folders."""
    by_split = defaultdict(set)
    for name, split in splits.items():
        above = PurePosixPath(name).parent.parts
        by_split[split].add("/".join(part for part in above if not splits_within(part)))
    folders = sorted({folder for found in by_split.values() if len(found) > 1 for folder in found})
    if not folders:
        return []
    names = ", ".join(folder or "the folder itself" for folder in folders)
    return [f"{names}: configurations of one data set; give one of them, as parquet:PATH/FOLDER"]


def _missing_shards(names: Sequence[str]) -> list[str]:
    present = defaultdict(set)
    for name in names:
        if match := SHARD.fullmatch(name):
            key = match["of"], int(match["count"]), match["rest"]
            present[key].add(int(match["index"]))
    return [
        f"{of}-{index:05}-of-{count:05}{rest}: missing; download it, or all parts of it"
        for (of, count, rest), indices in present.items()
        for index in sorted(set(range(count)) - indices)[:10]
    ]
