"""What `data` has found out, and the page that shows it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainables.datasets import ImageData
from trainables.datasets.errors import OVERVIEW
from trainables.storage import LocalStorage
from tune_jobs.engine.cli.prediction_files import check_place
from tune_jobs.engine.errors import RequestError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_CLASSES = 100
SPLITS = ("train", "validation", "test")
ENDING = ".html"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Findings:
    """Holds what the command tells of a data set.

    Attributes:
        data: The images as they would be trained on.
        facts: Sentences on all images together: counts, sizes, modes.
        notes: What the user should know, a sentence each.
    """

    data: ImageData
    facts: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClassRow:
    """Holds what the page shows of a class: `counts` by split, and images of train."""

    name: str
    counts: Sequence[int]
    pictures: "Sequence[Image]"


def count_classes(data: ImageData) -> list[list[int]]:
    """Count the images of each class in train, validation and test, K x 3."""
    splits = data.train_indices, data.validation_indices, data.test_indices
    counts = [np.bincount(data.labels_N[split], minlength=data.num_classes) for split in splits]
    counted: list[list[int]] = np.stack(counts, axis=1).tolist()
    return counted


def check_page(output: str | None) -> None:
    """Refuse a file that could not be written, before anything is decoded.

    Raises:
        RequestError: `--output` has another ending than .html, or no folder.
    """
    if output is None:
        return
    if Path(output).suffix.lower() != ENDING:
        raise RequestError(f"--output = {output!r}: the page is HTML: must end in {ENDING}")
    check_place(output)


def write_page(findings: Findings, output: str | None, data_dir: Path) -> Path:
    """Write the page to the file `output`, or into `data_dir`, and return its path.

    Raises:
        RequestError: The system does not let it be written.
    """
    page = Path(output) if output else data_dir / OVERVIEW / _name(findings.data)
    try:
        LocalStorage(page.parent).write(page.name, build_page(findings).encode())
    except OSError as error:
        option = "--output" if output else "--data-dir"
        raise RequestError(
            f"{option}: {page} cannot be written ({error.strerror}): name a place of yours, with "
            "room"
        ) from error
    return page


def build_page(findings: Findings) -> str:
    """Make the page, with pictures of at most `MOST_CLASSES` classes."""
    from tune_jobs.engine.results.report.images import PER_CLASS, samples
    from tune_jobs.engine.results.report.render import render

    data = findings.data
    pictures = samples(data, MOST_CLASSES)
    return render(
        Path(__file__).with_suffix(".html.jinja"),
        title=f"The data: {data.source}",
        answer=findings.facts,
        splits=SPLITS,
        classes=[
            ClassRow(name=name, counts=counts, pictures=pictures[name])
            for name, counts in zip(pictures, count_classes(data), strict=False)
        ],
        num_more=data.num_classes - len(pictures),
        num_samples=PER_CLASS,
        notes=findings.notes,
    )


def _name(data: ImageData) -> str:
    """Name the page by what `--dataset` says and by the images: `photos-1a2b3c4d.html`."""
    words = re.findall(r"[A-Za-z0-9._-]+", data.source.partition("?")[0])
    name = words[-1].strip(".-") or "data"
    return f"{name[:40]}-{data.fingerprint[:8]}{ENDING}"
