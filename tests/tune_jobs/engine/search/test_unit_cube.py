"""Values lie on [0, 1] in their order, and come back."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tune_jobs.engine.search.unit_cube import from_unit, is_ordered, to_unit

ORDERED = [
    (FloatDistribution(0.0, 0.6), 0.25),
    (FloatDistribution(1e-4, 1e-1, log=True), 3e-3),
    (FloatDistribution(0.0, 1.0, step=0.25), 0.75),
    (IntDistribution(1, 15), 7),
    (IntDistribution(16, 1024, log=True), 100),
    (IntDistribution(0, 192, step=64), 128),
    (CategoricalDistribution((0.0, 1e-4, 1e-2)), 1e-4),
    (CategoricalDistribution((32, 64, 128)), 128),
]


@pytest.mark.parametrize(("distribution", "value"), ORDERED)
def test_there_and_back(distribution: FloatDistribution, value: float) -> None:
    assert is_ordered(distribution)
    unit = to_unit(distribution, value)
    assert 0 <= unit <= 1
    assert from_unit(distribution, unit) == pytest.approx(value)
    ends = [from_unit(distribution, end) for end in (0.0, 1.0)]
    if isinstance(distribution, CategoricalDistribution):
        assert ends == [distribution.choices[0], distribution.choices[-1]]
    else:
        assert ends == pytest.approx([distribution.low, distribution.high])


def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean() -> None:
    sgd, adam = (FloatDistribution(*ends, log=True) for ends in ((1e-3, 1.0), (1e-4, 1e-2)))
    assert from_unit(sgd, 0.5) == pytest.approx(10**-1.5)
    assert from_unit(adam, to_unit(sgd, 10**-1.5)) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "choices", [("sgd", "adam"), (True, False), (None, 1, 2), (2, 1), (1, "2")]
)
def test_other_choices_have_no_order(choices: tuple[bool | int | str | None, ...]) -> None:
    assert not is_ordered(CategoricalDistribution(choices))
