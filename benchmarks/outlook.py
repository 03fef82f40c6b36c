"""How well the outlook of a search is calibrated, on replayed searches.

    python -m benchmarks.outlook [TASK ...] [--seeds 30]

Searches of 64 trials are replayed as `benchmarks.search_quality` does. What `predict_gain` says
after 8, 16 and 32 of them is compared with what the rest brought: at most three times as many
proposals. Printed are how often the best rose, and how often that was predicted; how often the rise
was within the 80 % interval; the mean interval, rise, and error of the median.
"""

import argparse
import statistics
from dataclasses import dataclass

import optuna

from benchmarks.record_curves import TASKS, Task
from benchmarks.replay import Ours, replay
from benchmarks.surrogate import Surrogate, recorded
from tune_jobs.engine.results.analysis.outlook import MOST_AHEAD, predict_gain, standard_error

TRIALS = 64
STOPPED_AT = (8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was predicted of a search, and the rise that came."""

    probability: float
    median: float
    high: float
    rise: float


def compare(values: list[float | None], stop: int, num_validation: int) -> Comparison | None:
    """Compare what is said after `stop` proposals with what the next ones brought.

    Args:
        values: Of all proposals; `None`: did not reach the full budget.
    """
    num_more = min(MOST_AHEAD * stop, len(values) - stop)
    seen = [value for value in values[:stop] if value is not None]
    later = [value for value in values[stop : stop + num_more] if value is not None]
    best = max(seen, default=0.0)
    gain = predict_gain(seen, stop, num_more, standard_error(best, num_validation))
    if gain is None:
        return None
    rise = max(0.0, max(later, default=best) - best)
    return Comparison(probability=gain.probability, median=gain.median, high=gain.high, rise=rise)


def search(task: Task, surrogate: Surrogate, seed: int) -> list[float | None]:
    """The validation accuracy of each proposal that reached the full budget, by number."""
    ours = Ours(task, TRIALS, seed)
    replay(ours, task, surrogate, seed)
    return [trial.value for trial in ours.search.record.trials()]


def show(name: str, found: list[Comparison | None]) -> None:
    told = [comparison for comparison in found if comparison]
    if not told:
        print(f"  {name}: too few trials to tell in all of {len(found)}")
        return
    mean = statistics.fmean
    print(
        f"  {name}: rose {mean(c.rise > 0 for c in told):.2f}, "
        f"predicted {mean(c.probability for c in told):.2f}; "
        f"within the interval {mean(c.rise <= c.high for c in told):.2f}; "
        f"interval {mean(c.high for c in told):.4f}, rise {mean(c.rise for c in told):.4f}, "
        f"error of the median {mean(c.median - c.rise for c in told):+.4f}; "
        f"too few to tell {len(found) - len(told)} of {len(found)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=30)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    together: dict[int, list[Comparison | None]] = {stop: [] for stop in STOPPED_AT}
    for name, task, surrogate in recorded(given.tasks):
        searches = [search(task, surrogate, seed) for seed in range(given.seeds)]
        print(name)
        for stop, all_found in together.items():
            found = [compare(values, stop, task.validation) for values in searches]
            show(f"{stop} trials", found)
            all_found += found
    print("all tasks")
    for stop, all_found in together.items():
        show(f"{stop} trials", all_found)


if __name__ == "__main__":
    main()
