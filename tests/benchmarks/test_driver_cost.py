"""A run that trains nothing goes through a run's real parts."""

from benchmarks.driver_cost import Asked, measure


def test_the_states_of_a_driver_are_noted() -> None:
    asked = Asked(job="digits_cnn", sampler="random", slots=5, epochs=3, at=[5], ray=False)
    noted = measure(asked)
    assert list(noted) == [5, 105]
    begin, end = noted.values()
    assert end.num_reports - begin.num_reports >= 100
    assert end.cpu_seconds - begin.cpu_seconds > end.proposing_seconds - begin.proposing_seconds > 0
    assert end.memory_mib > 0
