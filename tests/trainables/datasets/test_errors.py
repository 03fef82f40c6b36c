"""Counts, in the words of errors and notes."""

import pytest

from trainables.datasets.errors import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1234, "1,234 images")]
)
def test_one_and_several(number: int, text: str) -> None:
    assert counted(number, "image") == text
    sentence = counted(number, "image is", "images are")
    assert sentence == f"{text} {'is' if number == 1 else 'are'}"
