"""What is counted of a configuration's answers."""

from collections.abc import Callable

import numpy as np
import pytest

from tune_jobs.engine.results.report.findings import ClassFigures
from tune_jobs.engine.results.row import Row

from .examples import make_finding

MakeRow = Callable[..., Row]

NAMES = ["cat", "dog", "never seen", "never said"]
TRUE, PREDICTED = [0, 0, 0, 1, 1, 3], [0, 0, 1, 1, 0, 0]


def test_figures_by_class_are_of_all_seeds_together(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), NAMES, [(TRUE, PREDICTED), (TRUE, TRUE)])
    np.testing.assert_array_equal(
        finding.confusion_KK(), [[5, 1, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]
    )
    cat, dog, never_seen, never_said = finding.by_class()
    assert (cat.name, cat.num_examples) == ("cat", 6)
    assert cat.precision == pytest.approx(5 / 7)
    assert cat.recall == pytest.approx(5 / 6)
    assert cat.f1 == pytest.approx(10 / 13)
    assert dog[1:] == (0.75, 0.75, 0.75, 4)
    assert never_seen == ClassFigures("never seen", 0, 0, 0, 0)
    assert never_said.f1 == pytest.approx(2 / 3)


def test_a_class_that_is_never_predicted_counts_as_zero(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), NAMES, [(TRUE, PREDICTED)])
    assert finding.by_class()[3] == ClassFigures("never said", 0, 0, 0, 1)


def test_the_most_frequent_confusion_comes_first(make_row: MakeRow) -> None:
    finding = make_finding(make_row(), NAMES, [(TRUE, PREDICTED), ([3, 3], [0, 0])])
    assert finding.most_confused()[:2] == [("never said", "cat", 3), ("cat", "dog", 1)]
    assert make_finding(make_row(), NAMES, [(TRUE, TRUE)]).most_confused() == []
