"""`python -m tune_jobs data SPEC`: what would be trained on, before anything is."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainables.datasets import DatasetError, load_dataset
from trainables.datasets.duplicates import find_duplicates
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.info import describe_data, describe_duplicates

if TYPE_CHECKING:
    from rich.table import Table

    from trainables.datasets import ImageData


def show_data(dataset: str, data_dir: Path, image_size: int | None) -> None:
    """Print the classes with their counts in each split, the images' size, and what to know.

    Raises:
        RequestError: The data cannot be used as it is; all problems are listed.
    """
    from rich.console import Console

    try:
        data = load_dataset(dataset, data_dir=data_dir, image_size=image_size)
    except DatasetError as error:
        raise RequestError(str(error)) from error
    console = Console()
    console.print(describe_data(data), markup=False, highlight=False, soft_wrap=True)
    console.print(_count_classes(data))
    for note in (*data.notes, *describe_duplicates(find_duplicates(data), data)):
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)


def _count_classes(data: "ImageData") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("class", overflow="fold")
    splits = {
        "train": data.train_indices,
        "validation": data.validation_indices,
        "test": data.test_indices,
    }
    for name in splits:
        table.add_column(name, justify="right")
    counts = [
        np.bincount(data.labels_N[indices], minlength=data.num_classes)
        for indices in splits.values()
    ]
    for name, *numbers in zip(data.class_names, *counts, strict=True):
        table.add_row(Text(name), *(f"{number:,}" for number in numbers))
    return table
