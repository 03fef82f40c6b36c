"""Values lie on [0, 1] in their order, and come back."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tune_jobs.engine.search.unit_cube import UNIT, from_unit, is_ordered, lay, to_unit

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


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(1, 4),
        IntDistribution(0, 192, step=64),
        CategoricalDistribution((1, 2, 4, 8)),
    ],
)
def test_each_of_four_values_has_a_quarter_and_lies_amid_it(
    distribution: IntDistribution | CategoricalDistribution,
) -> None:
    middles = [0.125, 0.375, 0.625, 0.875]
    values = [from_unit(distribution, middle) for middle in middles]
    assert len(set(values)) == 4
    assert [to_unit(distribution, value) for value in values] == pytest.approx(middles)
    for side in (-0.124, 0.124):
        assert [from_unit(distribution, middle + side) for middle in middles] == values


def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean() -> None:
    sgd, adam = (FloatDistribution(*ends, log=True) for ends in ((1e-3, 1.0), (1e-4, 1e-2)))
    assert from_unit(sgd, 0.5) == pytest.approx(10**-1.5)
    assert from_unit(adam, to_unit(sgd, 10**-1.5)) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "choices", [("sgd", "adam"), (True, False), (None, 1, 2), (2, 1), (1, "2")]
)
def test_other_choices_have_no_order(choices: tuple[bool | int | str | None, ...]) -> None:
    assert not is_ordered(CategoricalDistribution(choices))


def test_a_parameter_that_a_trial_does_not_have_lies_in_the_middle() -> None:
    optimizers = CategoricalDistribution(("sgd", "adam"))
    space = {"lr": UNIT, "momentum": UNIT, "optimizer": optimizers}
    laid = lay({"lr": (UNIT, 0.25)}, space)
    assert laid == {"lr": 0.25, "momentum": 0.5, "optimizer": "sgd"}
