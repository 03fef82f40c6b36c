"""The units of what the operating system counts."""

import resource

import pytest

from trainables.trials.cost import peak_host_bytes


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_peak_is_in_bytes_on_every_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, unit: int
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    counted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert counted <= peak_host_bytes() // unit <= counted * 2
