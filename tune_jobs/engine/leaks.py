"""Images that train and test share, counted before the search."""

import json
from dataclasses import asdict
from pathlib import Path

from trainables.datasets import ImageData
from trainables.datasets.duplicates import Duplicates, find_duplicates
from trainables.storage import LocalStorage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options

OWN_DATA = ("folder:", "csv:", "parquet:")
"""A published set is what it is: its duplicates are told, and stop nothing."""


def check_duplicates(data: ImageData, options: Options) -> Duplicates:
    """Count the duplicates between the splits; the counts are cached beside the decoded images.

    Raises:
        RequestError: Test images of the user's own data are training images too, pixel by pixel,
            and `--allow-duplicates` is not given.
    """
    found = _count(data, options.data_dir / "duplicates")
    is_own = options.dataset.startswith(OWN_DATA)
    if found.exact_train_test and is_own and not options.allow_duplicates:
        pairs = ", ".join(f"{train} and {test}" for train, test in found.train_test_examples)
        raise RequestError(
            f"--dataset = {options.dataset!r}: {found.exact_train_test} of "
            f"{len(data.test_indices)} test images are training images, pixel by pixel, so that "
            f"the test accuracy would be too high (images number {pairs}, as they are listed): "
            "remove them from one of the two, or give --allow-duplicates"
        )
    return found


def _count(data: ImageData, folder: Path) -> Duplicates:
    file = folder / f"{data.fingerprint[:32]}-{data.split_fingerprint[:32]}.json"
    try:
        stored = json.loads(file.read_text())
        examples = tuple((train, test) for train, test in stored.pop("train_test_examples"))
        return Duplicates(**stored, train_test_examples=examples)
    except (OSError, ValueError, TypeError, KeyError):
        pass  # not counted yet, or not what is written below
    found = find_duplicates(data)
    try:
        LocalStorage(folder).write(file.name, json.dumps(asdict(found)).encode())
    except OSError as error:
        raise RequestError(
            f"--data-dir: {file} cannot be written ({error.strerror}): "
            "give a folder of yours, with room"
        ) from error
    return found
