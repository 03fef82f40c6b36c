"""Every job file: named as its module, and its first configurations replay through its space."""

import importlib
import re
import warnings
from pathlib import Path

import pytest

import tune_jobs
from trainables.config import number_entries
from trainables.registry import default_of
from tune_jobs.engine.search.space import architectures_of, replay, sample_space
from tune_jobs.engine.stages.first import first_configurations

NAMES = sorted(p.stem for p in Path(tune_jobs.__file__).parent.glob("[!_]*.py"))
OF_REPORTS = [name for name in NAMES if name != "demo"]


@pytest.mark.parametrize("name", NAMES)
def test_a_job_is_named_as_its_module(name: str) -> None:
    assert importlib.import_module(f"tune_jobs.{name}").JOB.name == name


@pytest.mark.parametrize("name", NAMES)
def test_first_configurations_replay_exactly_through_the_jobs_own_space(name: str) -> None:
    job = importlib.import_module(f"tune_jobs.{name}").JOB
    names = architectures_of(job, sample_space(job.space))
    defaults = {name: default_of(name, job.epochs) for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        firsts = first_configurations(job, defaults)
        assert [first.published for first in firsts] == list(
            job.published or [None] * len(job.architectures)
        )
        for first in firsts:
            given = first.published.config if first.published else {}
            default = defaults[first.config["architecture"]]
            found = replay(job.space, number_entries(first.config))
            assert not found.moved
            expected = {**default, **(given if first.published else found.constants)}
            assert found.configuration(job.architecture, defaults) == expected
            assert first.origin == ("published" if job.published else "default")


@pytest.mark.parametrize("name", NAMES)
def test_a_job_says_the_shape_of_its_images(name: str) -> None:
    job = importlib.import_module(f"tune_jobs.{name}").JOB
    known = {
        "digits": (8, 8, 1),
        "mnist": (28, 28, 1),
        "fashion-mnist": (28, 28, 1),
        "cifar10": (32, 32, 3),
        "stl10": (96, 96, 3),
    }
    assert job.shape == known.get(job.dataset, job.shape)


def test_every_system_of_the_reports_is_published_by_a_job() -> None:
    """The numbers in the catalogue of systems, `6` and `9` with their variants in one job each."""
    jobs = [importlib.import_module(f"tune_jobs.{name}").JOB for name in OF_REPORTS]
    found = {published.name.split(" ")[0] for job in jobs for published in job.published}
    expected = {
        *("1", "2", "3a", "3b", "4a", "4b", "4c", "4d", "5a", "5b", "6"),
        *("7a", "7b", "7c", "7d", "8a", "8b", "8c", "8d", "9"),
        *("10", "11", "12", "13", "14"),
        *("15a", "15b", "15c", "15d", "15e", "15f", "16a", "16b", "16c", "17"),
        *("19", "20", "21a", "21b", "21c", "21d"),
    }
    assert found == expected


@pytest.mark.parametrize("name", OF_REPORTS)
def test_the_page_of_systems_tells_every_published_figure(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "systems.md").read_text()
    for published in importlib.import_module(f"tune_jobs.{name}").JOB.published:
        figure = f"{published.accuracy:g} ({published.metric})" if published.accuracy else "none"
        row = rf"^\| {re.escape(published.name)} \| .* \| `{name}` \| {re.escape(figure)} \|"
        assert re.search(row, page, flags=re.MULTILINE), published.name
