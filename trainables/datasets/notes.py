"""What the user should know of images that were decoded, a sentence each."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from trainables.datasets.decoding.decode_all import Decoded, Outcome
from trainables.datasets.errors import counted
from trainables.datasets.image_data import Integers, Texts
from trainables.datasets.source import Split, Splits

MAX_NAMED = 5
BLANK_LEVELS = 8  # of 256, which the noise of a JPEG has
UNEQUAL = 2  # the largest class has so many times the images of the smallest


def describe_decoding(outcomes: Sequence[Outcome], names_N: Texts) -> list[str]:
    """Tell what was done to the images, and name those that show nothing."""
    decoded = [(n, o) for n, o in zip(names_N, outcomes, strict=True) if isinstance(o, Decoded)]
    notes = []
    num_grey = sum(outcome.is_grey for _, outcome in decoded)
    if 0 < num_grey < len(outcomes):
        notes.append(f"{counted(num_grey, 'grey image')} converted to RGB")
    notes += _describe_grey_bits(Counter(o.grey_bits for _, o in decoded if o.grey_bits))
    blank = [str(name) for name, outcome in decoded if outcome.num_levels <= BLANK_LEVELS]
    if blank:
        more = ", ..." if len(blank) > MAX_NAMED else ""
        named = ", ".join(blank[:MAX_NAMED])
        notes.append(
            f"black, white or of one other colour, or nearly so: {len(blank):,} of "
            f"{counted(len(outcomes), 'image')} ({named}{more})"
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
