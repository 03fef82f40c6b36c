"""What the live view counts, report by report."""

from tests.tune_jobs.engine.parts import make_info
from tune_jobs.engine.record.listener import Past
from tune_jobs.engine.results.analysis.tally import Tally

from .trials import epoch_of

INFO = make_info(chance={"accuracy": 0.1})
BAD, GOOD = epoch_of(0.1), epoch_of(0.9)


def test_epochs_of_trials_that_never_left_chance_are_counted() -> None:
    tally = Tally(INFO)
    assert tally.describe() == ""
    tally.add("trial-0000", Past("centre", [BAD, BAD]))
    tally.add("trial-0001", Past("centre", [BAD, GOOD]))
    tally.add("trial-0002", Past("uniform"))
    assert tally.describe() == (
        "proposals: 2 around the recipe, 1 from anywhere; epochs at chance: 2 of 4"
    )
    tally.report("trial-0002", BAD)
    assert tally.describe().endswith("epochs at chance: 3 of 5")
    tally.report("trial-0002", GOOD)
    assert tally.describe().endswith("epochs at chance: 2 of 6")


def test_what_is_not_recorded_is_left_out() -> None:
    tally = Tally(make_info())
    tally.add("trial-0000", Past("", [BAD]))
    assert tally.describe() == ""
