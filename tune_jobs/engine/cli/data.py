"""`python -m tune_jobs data SPEC`: what would be trained on, before anything is."""

from pathlib import Path
from typing import TYPE_CHECKING

from trainables.datasets import DatasetError, ImageData, load_to_look
from trainables.datasets.notes import describe_modes, describe_sizes
from trainables.datasets.splits.groups import describe_groups
from tune_jobs.engine.cli.data_page import (
    SPLITS,
    Findings,
    check_page,
    count_classes,
    write_page,
)
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.prepare import count_duplicates
from tune_jobs.engine.run_state.info import describe_data, describe_duplicates

if TYPE_CHECKING:
    from rich.table import Table


def show_data(dataset: str, data_dir: Path, image_size: int | None, output: str | None) -> None:
    """Print what was understood of the images, and write a page that shows them too.

    Where they differ in size and `image_size` is not given, a usual size is taken, and said.

    Raises:
        RequestError: The data cannot be used as it is, and all problems are listed; or `output`,
            the file of the page, cannot be written.
    """
    from rich.console import Console

    check_page(output)
    try:
        data = load_to_look(dataset, data_dir=data_dir, image_size=image_size)
    except DatasetError as error:
        raise RequestError(str(error)) from error
    findings = Findings(
        data=data,
        facts=_facts(data, image_size),
        notes=(
            *data.notes,
            *describe_groups(data),
            *describe_duplicates(count_duplicates(data, data_dir), data),
        ),
    )
    page = write_page(findings, output, data_dir)
    console = Console()
    for fact in findings.facts:
        console.print(fact, markup=False, highlight=False, soft_wrap=True)
    console.print(_table(data))
    for note in findings.notes:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"page: {page}", markup=False, highlight=False, soft_wrap=True)


def _facts(data: ImageData, image_size: int | None) -> list[str]:
    """Tell of all images together: how many, their sizes and modes, what a run needs."""
    facts = [describe_data(data)]
    if data.originals is None:
        return facts
    facts.append(f"sizes: {describe_sizes(data.originals, len(data.labels_N))}")
    if modes := describe_modes(data.originals):
        facts.append(f"modes: {modes}")
    shown, median = data.image_size[0], data.originals.median_shorter_side
    if image_size is None and data.originals.num_sizes == 1 and shown != median:
        facts.append(f"shown at {shown}, a usual size")
    if image_size is None and data.originals.num_sizes > 1:
        facts.append(
            f"a run needs --image-size, since the images differ in size: {shown} is proposed, and "
            f"shown here (half of the images have a shorter side of {median} or less)"
        )
    return facts


def _table(data: ImageData) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("class", overflow="fold")
    for name in SPLITS:
        table.add_column(name, justify="right")
    for name, counts in zip(data.class_names, count_classes(data), strict=True):
        table.add_row(Text(name), *(f"{count:,}" for count in counts))
    return table
