"""What the user should know of images that were decoded: problems and notes, a line each."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainables.datasets.decoding.decode_all import Decoded, Outcome, Undecodable
from trainables.datasets.decoding.originals import originals_of, propose_size
from trainables.datasets.errors import counted, name_first, write_long_list
from trainables.datasets.image_data import Integers, Originals, Texts
from trainables.datasets.source import Item, Listing, Split, Splits

BLANK_LEVELS = 8  # of 256, which the noise of a JPEG has
UNEQUAL = 2  # the largest class has so many times the images of the smallest


MODES = {
    "1": "black and white",
    "L": "grey",
    "LA": "grey with transparency",
    "P": "palette",
    "PA": "palette with transparency",
    "RGBA": "RGB with transparency",
    "I": "grey of 16 or 32 bits",
}
"""What a user calls the modes of Pillow; the others are called as there."""


def decoding_problems(
    listing: Listing, outcomes: Sequence[Outcome], *, is_resized: bool
) -> list[str]:
    """List what is wrong with a listing, and what became clear when its images were decoded."""
    different = [] if is_resized else _size_problems(listing.items, outcomes)
    undecodable = [
        f"{item.location}: {outcome.reason}"
        for item, outcome in zip(listing.items, outcomes, strict=True)
        if isinstance(outcome, Undecodable)
    ]
    return different + listing.problems + undecodable


def _size_problems(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[str]:
    """Say from what size to what the images differ; nothing where they do not."""
    sizes = [
        (outcome.height * outcome.width, outcome.height, outcome.width, item.location)
        for item, outcome in zip(items, outcomes, strict=True)
        if isinstance(outcome, Decoded)
    ]
    if len({size[1:3] for size in sizes}) < 2:
        return []
    smallest, largest = (
        f"{width} x {height} ({location})"
        for _, height, width, location in (min(sizes), max(sizes))
    )
    proposed = propose_size(originals_of(outcomes))
    return [
        f"images differ in size, from {smallest} to {largest}: give --image-size, for instance "
        f"{proposed}"
    ]


def describe_sizes(originals: Originals, num_images: int) -> str:
    """Write the smallest, the most frequent and the largest size, in a line."""
    smallest, most, largest = (
        f"{width} x {height}"
        for height, width in (originals.smallest, originals.most_frequent, originals.largest)
    )
    if originals.num_sizes == 1:
        return f"all {most} (width x height)"
    if originals.num_most_frequent == 1:
        return f"from {smallest} to {largest}, no two equal (width x height)"
    count = f"{originals.num_most_frequent:,} of {num_images:,}"
    return f"from {smallest} to {largest}, most often {most} ({count}; width x height)"


def describe_modes(originals: Originals) -> str:
    """Write how many images have each mode, in a line; empty where no file tells."""
    counts: Counter[str] = Counter()
    for mode, count in originals.modes.items():
        counts["16-bit grey" if mode.startswith("I;16") else MODES.get(mode, mode)] += count
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def describe_decoding(outcomes: Sequence[Outcome], names_N: Texts, lists: Path) -> list[str]:
    """Tell what was done to the images, and name those that show nothing.

    Args:
        outcomes: What became of each image.
        names_N: Their names.
        lists: The folder that takes the names where they are many.
    """
    decoded = [(n, o) for n, o in zip(names_N, outcomes, strict=True) if isinstance(o, Decoded)]
    notes = []
    num_grey = sum(outcome.is_grey for _, outcome in decoded)
    if 0 < num_grey < len(outcomes):
        notes.append(f"{counted(num_grey, 'grey image')} converted to RGB")
    notes += _describe_grey_bits(Counter(o.grey_bits for _, o in decoded if o.grey_bits))
    blank = [str(name) for name, outcome in decoded if outcome.num_levels <= BLANK_LEVELS]
    if blank:
        named = name_first(blank, whole=write_long_list(blank, lists))
        notes.append(
            f"black, white or of one other colour, or nearly so: {len(blank):,} of "
            f"{counted(len(outcomes), 'image')} ({named})"
        )
    return notes


def _describe_grey_bits(counts: Counter[int]) -> list[str]:
    if not set(counts) - {16}:
        return []
    found = ", ".join(f"{count:,} of {bits} bits" for bits, count in sorted(counts.items()))
    mixed = "; brightness is not comparable between these" if len(counts) > 1 else ""
    return [f"grey in 16-bit files was scaled by the range that each image uses: {found}{mixed}"]


def describe_classes(labels_N: Integers, splits_N: Splits, class_names: Sequence[str]) -> list[str]:
    """Tell of classes of unequal size among the images to train on, with counts."""
    counts_K = np.bincount(labels_N[splits_N == Split.TRAIN], minlength=len(class_names))
    smallest, largest = int(counts_K.argmin()), int(counts_K.argmax())
    if counts_K[largest] < UNEQUAL * counts_K[smallest]:
        return []
    fewest = int(counts_K[smallest])
    share = counts_K[largest] / counts_K.sum()
    return [
        f"classes are unequal, from {counted(fewest, 'image')} ({class_names[smallest]}) to "
        f"{counts_K[largest]:,} ({class_names[largest]}): always answering {class_names[largest]} "
        f"would be right for {share:.0%} of them"
    ]
