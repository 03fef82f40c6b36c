"""What is said of the sources of proposals, from records."""

from dataclasses import replace

from optuna.trial import TrialState

from tests.tune_jobs.engine.results.examples import make_retrained
from trainables.metrics import METRICS
from tune_jobs.engine.results.analysis.outlook import find_outlook
from tune_jobs.engine.results.analysis.sources import (
    Reference,
    SourceFigures,
    describe_proposals,
    find_reference,
    tabulate_sources,
)
from tune_jobs.engine.search.limits import TOO_SLOW

from .trials import record_of, trial_of

FULL = TrialState.COMPLETE
REFERENCE = Reference(trial_number=0, origin="default", value=0.8)
ACCURACY = METRICS["accuracy"]


def figures(source: str, *values: object) -> SourceFigures:
    names = ("num_proposals", "num_stopped", "num_full", "best", "num_better")
    return SourceFigures(source=source, **dict(zip(names, values, strict=True)))  # type: ignore[arg-type]


def test_each_source_is_summed_up() -> None:
    search = record_of(
        [
            trial_of([0.5, 0.8, 0.8], FULL, origin="default"),
            trial_of([0.6, 0.7, 0.9], FULL, source="centre"),
            trial_of([0.6, 0.7, 0.7], FULL, source="centre"),
            trial_of([0.2], source="centre"),
            trial_of([0.3, 0.4], source="uniform"),
            trial_of([], TrialState.FAIL, source="uniform"),
        ]
    )
    found = tabulate_sources(search, REFERENCE, first_rung=1)
    assert found == [
        figures("at the recipe", 1, 0, 1, 0.8, None),
        figures("around the recipe", 3, 1, 2, 0.9, 1),
        figures("from anywhere", 2, 0, 0, None, 0),
    ]
    assert describe_proposals(found) == (
        "1 at the recipe (best 0.8000), 3 around the recipe (best 0.9000), "
        "2 from anywhere (none to the end)"
    )


def test_what_was_too_slow_to_begin_is_no_proposal() -> None:
    left_out = trial_of([], origin="default", end_reason=f"{TOO_SLOW}: a training takes 9 s")
    stopped = [trial_of([0.5, 0.6], source="centre")] * 19
    search = [trial_of([0.5, 0.8], FULL, origin="default"), *stopped]
    found = tabulate_sources(record_of([*search, left_out, left_out]), None, 1)
    assert found[0] == figures("at the recipe", 1, 0, 1, 0.8, None)
    assert find_outlook(record_of([*search, left_out]), 0.02) == find_outlook(
        record_of(search), 0.02
    )


def test_a_run_that_did_not_record_sources_says_so() -> None:
    found = tabulate_sources(record_of([trial_of([0.9], FULL)] * 2), None, first_rung=1)
    assert found == [figures("not recorded", 2, 0, 2, 0.9, None)]


def test_a_configuration_of_another_run_and_a_samplers_own_source_are_named() -> None:
    search = record_of(
        [
            trial_of([0.9], FULL, source="grid"),
            trial_of([0.8], FULL, system_attrs={"fixed_params": {"lr": 0.5}}),
            trial_of([0.7], FULL, source="portfolio"),
        ]
    )
    told = [of.source for of in tabulate_sources(search, None, 1)]
    assert told == ["of the forked run", "of other leaderboards", "grid"]


def test_a_proposal_whose_architecture_alone_was_given_is_no_forks() -> None:
    """The search chooses it, and a sampler that names no source the rest."""
    given = trial_of([0.8], FULL, system_attrs={"fixed_params": {"architecture": "mlp"}})
    [found] = tabulate_sources(record_of([given]), None, 1)
    assert found.source == "not recorded"


def test_the_reference_is_the_best_that_no_search_proposed() -> None:
    results = [
        make_retrained(0, 0.5, 0.7, origin="published"),
        make_retrained(1, origin="published"),
        make_retrained(2, 0.6, 0.625, origin="default"),
        make_retrained(3, 0.9),
    ]
    assert find_reference(results, ACCURACY) == Reference(
        trial_number=2, origin="default", value=0.6125
    )
    assert find_reference(results[:2], METRICS["log_loss"]) == Reference(
        trial_number=0, origin="published", value=1.0
    )
    assert find_reference(results[3:], ACCURACY) is None
    dropped = replace(make_retrained(4, 0.99, origin="default"), dropped_out="lost to trial 0")
    for among, best in (([*results, dropped], 2), ([dropped], 4)):
        found = find_reference(among, ACCURACY)
        assert found
        assert found.trial_number == best
