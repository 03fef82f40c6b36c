"""Each proposal has a sampler of its own."""

import optuna
import pytest

from tune_jobs.engine.search.samplers import SAMPLERS, build_sampler


@pytest.mark.parametrize("name", SAMPLERS)
def test_no_two_trials_of_any_runs_draw_the_same_numbers(name: str) -> None:
    def draw(seed: int, number: int) -> float:
        study = optuna.create_study()
        study.sampler = build_sampler(name, seed=seed, number=number, centre={"x": 0.5})
        return study.ask().suggest_float("x", 0.0, 1.0)

    pairs = [(seed, number) for seed in (0, 1, 2, 5000) for number in range(3)]
    drawn = [draw(*pair) for pair in pairs]
    assert len(set(drawn)) == len(pairs)
    assert drawn == [draw(*pair) for pair in pairs]
