import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from tune_jobs.engine.results.statistics.intervals import Comparison, Estimate, compare, interval
from tune_jobs.engine.results.statistics.ranking import holm, tie_groups
from tune_jobs.engine.results.statistics.variance import (
    Correct,
    Outcomes,
    Variance,
    add_seeds,
    pool_over_seeds,
    summarise,
    variance_over_examples,
)

NUM_DRAWS = 1000


def draw_correct(
    accuracies: Sequence[float],
    generator: np.random.Generator,
    *,
    seeds: int = 3,
    examples: int = 1000,
    correlated: bool = False,
    seed_std: float = 0.0,
) -> list[Correct]:
    """`correct_SN` per true accuracy, by the model of `benchmarks/statistics_power.py`."""
    shared, own = (0.6, 0.2) if correlated else (0.0, 0.0)
    shared_N = generator.standard_normal(examples, dtype=np.float32) * np.sqrt(shared)
    drawn = []
    for accuracy in accuracies:
        quantile = stats.norm.ppf(accuracy)
        seed_variance = (seed_std / stats.norm.pdf(quantile)) ** 2
        latent_SN = generator.standard_normal((seeds, examples), dtype=np.float32)
        latent_SN *= np.sqrt(1 - shared - own - seed_variance)
        own_N = generator.standard_normal(examples, dtype=np.float32) * np.sqrt(own)
        seeds_S1 = generator.standard_normal((seeds, 1)) * np.sqrt(seed_variance)
        drawn.append(latent_SN + shared_N + own_N + seeds_S1 < quantile)
    return sorted(drawn, key=lambda correct_SN: -float(correct_SN.mean()))


def accuracy_interval(correct_SN: Correct, board: Sequence[Correct] = ()) -> Estimate:
    return interval(Outcomes.of_answers(correct_SN), board=list(map(Outcomes.of_answers, board)))


def compare_answers(a_SN: Correct, b_SN: Correct, confidence: float = 0.95) -> Comparison:
    return compare(Outcomes.of_answers(a_SN), Outcomes.of_answers(b_SN), confidence)


def group_answers(correct: Sequence[Correct]) -> list[int]:
    return tie_groups(list(map(Outcomes.of_answers, correct)))


def answers(*rows: str) -> Correct:
    """One row per seed, `1` for a correct answer."""
    return np.array([[answer == "1" for answer in row] for row in rows])


@pytest.mark.parametrize(
    ("seeds", "correlated", "seed_std"),
    [(1, False, 0.0), (1, True, 0.0), (3, False, 0.0), (3, True, 0.0)]
    + [(3, True, std) for std in (0.003, 0.006, 0.02)],
)
def test_identical_models_share_a_group(seeds: int, correlated: bool, seed_std: float) -> None:
    generator = np.random.default_rng(1)
    shared = 0
    for _ in range(NUM_DRAWS):
        rows = draw_correct(
            [0.9, 0.9], generator, seeds=seeds, correlated=correlated, seed_std=seed_std
        )
        shared += group_answers(rows) == [1, 1]
    assert shared >= 0.95 * NUM_DRAWS


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_board_of_identical_models_is_one_group(seeds: int) -> None:
    generator = np.random.default_rng(2)
    shared = 0
    for _ in range(NUM_DRAWS):
        rows = draw_correct([0.9] * 5, generator, seeds=seeds, correlated=True)
        shared += group_answers(rows) == [1] * 5
    assert shared >= 0.95 * NUM_DRAWS


@pytest.mark.parametrize("seeds", [1, 3])
def test_two_points_are_told_apart_on_ten_thousand_examples(seeds: int) -> None:
    generator = np.random.default_rng(3)
    apart = 0
    for _ in range(NUM_DRAWS):
        rows = draw_correct([0.90, 0.88], generator, seeds=seeds, examples=10_000)
        apart += group_answers(rows) == [1, 2]
    assert apart >= 0.95 * NUM_DRAWS


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("seeds", "correlated", "seed_std"),
    [(1, False, 0.0), (3, True, 0.0), (3, True, 0.003), (5, True, 0.003)],
)
def test_the_interval_holds_the_true_accuracy(
    accuracy: float, seeds: int, correlated: bool, seed_std: float
) -> None:
    generator = np.random.default_rng(4)
    held = 0
    for _ in range(NUM_DRAWS):
        [correct_SN] = draw_correct(
            [accuracy], generator, seeds=seeds, correlated=correlated, seed_std=seed_std
        )
        interval = accuracy_interval(correct_SN)
        held += interval.low <= accuracy <= interval.high
    assert held >= 0.93 * NUM_DRAWS  # 0.95 less three standard errors of this simulation


def test_the_variance_is_taken_apart_as_the_analysis_of_variance_does() -> None:
    """By hand: where seeds reach 1 and 1/4 their mean square is 9/8, and that of the interaction
    1/8; where they reach 3/4 and 1/2, both are 1/8."""
    found = summarise(Outcomes.of_answers(answers("1111", "1000"))).seeds
    assert found == pytest.approx(((9 / 8 - 1 / 8) / 8, 1))
    assert summarise(Outcomes.of_answers(answers("1110", "1100"))).seeds.value == 0
    examples = variance_over_examples(np.array([0.0, 1.0, 1.0, 1.0]))
    assert examples == pytest.approx((0.75 / 3 / 4, 3))


def test_seeds_are_pooled_by_their_degrees_and_added_as_welch_does() -> None:
    """Two seeds, whose mean varies by 1/8, so that a single one varies by 1/4."""
    rows = answers("1111", "1000")
    two, one = (summarise(Outcomes.of_answers(seeds_SN)) for seeds_SN in (rows, rows[:1]))
    steady = summarise(Outcomes.of_answers(answers("1110", "1100", "1110", "1110")))
    assert steady.seeds == pytest.approx((0, 3))
    assert pool_over_seeds([one, steady]) is None
    assert pool_over_seeds([one, two]) == pytest.approx((1 / 4, 1))
    assert pool_over_seeds([one, two, steady]) == pytest.approx((1 / 16, 4))
    pooled = Variance(0.5, 7)
    assert add_seeds(two, two, pooled) == pytest.approx((2 / 8, 2))
    assert add_seeds(two, one, pooled) == pytest.approx((1 / 8 + 0.5, 7))
    assert add_seeds(one, one, pooled) == pytest.approx((1.0, 7))
    assert add_seeds(two, one, None) == pytest.approx((1 / 8, 1))


def test_where_one_example_makes_the_variance_few_degrees_of_freedom_are_left() -> None:
    """Of a hundred values one is 1: their kurtosis is 98.01."""
    values_N = np.eye(100)[0]
    found = variance_over_examples(values_N, are_answers=False)
    assert found.degrees == pytest.approx(200 / (98.01 - 97 / 99), rel=1e-4)
    assert variance_over_examples(values_N).degrees == 99


def test_with_one_seed_the_interval_is_wilsons() -> None:
    correct_SN = answers("1" * 90 + "0" * 10)
    interval = accuracy_interval(correct_SN)
    wilson = stats.binomtest(90, 100).proportion_ci(method="wilson")
    assert interval.value == pytest.approx(0.9)
    assert interval.low == pytest.approx(wilson.low, abs=0.002)
    assert interval.high == pytest.approx(wilson.high, abs=0.002)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("examples", [10, 359])
def test_perfect_answers_leave_room_for_error(seeds: int, examples: int) -> None:
    perfect = accuracy_interval(np.ones((seeds, examples), dtype=bool))
    assert perfect.value == perfect.high == 1
    assert 0.5 < perfect.low < 1 - 3 / examples  # the rule of three
    hopeless = accuracy_interval(np.zeros((seeds, examples), dtype=bool))
    assert hopeless.value == hopeless.low == 0
    assert hopeless.high == pytest.approx(1 - perfect.low)


def test_intervals_stay_within_their_bounds() -> None:
    generator = np.random.default_rng(5)
    for seeds, examples in itertools.product((1, 2, 3), (2, 3, 5, 50)):
        for accuracy in (0.05, 0.5, 0.95):
            a_SN, b_SN = (generator.random((seeds, examples)) < accuracy for _ in range(2))
            interval = accuracy_interval(a_SN)
            assert 0 <= interval.low <= interval.value <= interval.high <= 1
            compared = compare_answers(a_SN, b_SN)
            assert -1 <= compared.difference.low <= compared.difference.value
            assert compared.difference.value <= compared.difference.high <= 1
            assert 0 <= compared.p_value <= 1


def test_more_seeds_narrow_the_interval_and_varying_seeds_widen_it() -> None:
    generator = np.random.default_rng(6)

    def width(seeds: int, seed_std: float) -> float:
        [correct_SN] = draw_correct(
            [0.9], generator, seeds=seeds, examples=20_000, seed_std=seed_std
        )
        interval = accuracy_interval(correct_SN)
        return interval.high - interval.low

    assert width(20, 0.0) < width(1, 0.0) / 2
    assert width(20, 0.02) > 2 * width(20, 0.0)


def test_with_one_seed_each_the_p_value_is_mcnemars() -> None:
    a_SN = answers("1" * 90 + "1" * 9 + "0" * 2)
    b_SN = answers("1" * 90 + "0" * 9 + "1" * 2)
    compared = compare_answers(a_SN, b_SN)
    assert compared.p_value == pytest.approx(stats.binomtest(2, 11).pvalue)
    assert compared.difference.value == pytest.approx(7 / 101)


def test_the_p_value_is_where_the_interval_ends_at_zero() -> None:
    a_SN, b_SN = draw_correct([0.9, 0.88], np.random.default_rng(7), examples=3000, seed_std=0.002)
    compared = compare_answers(a_SN, b_SN)
    assert 1e-6 < compared.p_value < 1
    at_p = compare_answers(a_SN, b_SN, confidence=1 - compared.p_value)
    assert at_p.difference.low == pytest.approx(0, abs=1e-6)


def test_comparing_the_other_way_round_changes_the_sign_alone() -> None:
    a_SN, b_SN = draw_correct([0.9, 0.85], np.random.default_rng(8), seed_std=0.01)
    forth, back = compare_answers(a_SN, b_SN[:2]), compare_answers(b_SN[:2], a_SN)
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.difference.value == pytest.approx(-back.difference.value)
    assert forth.difference.low == pytest.approx(-back.difference.high)


def test_a_single_seed_is_taken_to_vary_as_the_others_do() -> None:
    a_SN, b_SN = draw_correct(
        [0.9, 0.88], np.random.default_rng(9), seeds=5, examples=10_000, seed_std=0.02
    )
    one_seed = compare_answers(a_SN[:1], b_SN).difference
    five_seeds = compare_answers(a_SN, b_SN).difference
    assert one_seed.high - one_seed.low > five_seeds.high - five_seeds.low


@pytest.mark.parametrize("seeds", [(3, 3, 1), (3, 3, 1, 1), (3, 2, 1)])
def test_equal_rows_share_a_group_where_some_dropped_out(seeds: Sequence[int]) -> None:
    generator = np.random.default_rng(11)
    shared = 0
    for _ in range(NUM_DRAWS):
        rows = [draw_correct([0.9], generator, seeds=s, seed_std=0.006)[0] for s in seeds]
        shared += set(group_answers(sorted(rows, key=lambda row: -row.mean()))) == {1}
    assert shared >= 0.95 * NUM_DRAWS


@pytest.mark.parametrize("seed_std", [0.006, 0.02])
def test_the_interval_of_a_single_seed_is_as_wide_as_seeds_of_the_board_vary(
    seed_std: float,
) -> None:
    generator = np.random.default_rng(12)
    held = 0
    for _ in range(NUM_DRAWS):
        board = [draw_correct([0.9], generator, seeds=s, seed_std=seed_std)[0] for s in (3, 3, 1)]
        interval = accuracy_interval(board[-1], board=board)
        held += interval.low <= 0.9 <= interval.high
    assert held >= 0.93 * NUM_DRAWS


def test_the_same_answers_are_equal() -> None:
    [correct_SN] = draw_correct([0.9], np.random.default_rng(10))
    for same_SN in (correct_SN, correct_SN[:1]):
        compared = compare_answers(same_SN, same_SN)
        assert compared.p_value == pytest.approx(1)
        assert compared.difference.low < compared.difference.value == 0


@pytest.mark.parametrize("shape", [(10,), (0, 10), (3, 1), (2, 3, 4)])
def test_a_shape_that_has_no_variance_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one seed and at least two examples"):
        accuracy_interval(np.ones(shape, dtype=bool))


def test_other_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="have 4 and 3 examples"):
        compare_answers(answers("1011"), answers("101"))


def test_holm() -> None:
    assert holm([]) == []
    assert holm([0.2]) == [0.2]
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]


def test_groups_follow_their_leaders() -> None:
    best, middle, worst = (answers("1" * n + "0" * (1000 - n)) for n in (950, 800, 600))
    assert group_answers([]) == []
    assert group_answers([best]) == [1]
    assert group_answers([best, best, middle, middle, worst]) == [1, 1, 2, 2, 3]


def test_a_row_that_varies_more_may_rank_above_one_that_varies_less() -> None:
    leader = answers(*["1" * 950 + "0" * 50] * 3)
    steady = answers(*["1" * 850 + "0" * 150] * 3)
    varying = answers(*("1" * n + "0" * (1000 - n) for n in (950, 900, 600)))
    assert group_answers([leader, steady, varying]) == [1, 2, 1]
