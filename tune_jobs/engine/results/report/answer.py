"""The first lines of the page: who won, how sure that is, what was gained, and what it cost."""

from collections.abc import Callable, Sequence

from scipy.stats import binomtest

from trainables.datasets.errors import counted
from trainables.datasets.image_data import MajorityClass
from tune_jobs.engine.results.comparison.boards import pareto_front
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.results.table import format_count, format_number, in_search, name_metric
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.stages.candidates import REFERENCES

GIB = 2**30

CHEAP = 1 / 10
"""The share of the winner's time of training that a row may take to be named as cheap."""


def answer(rows: Sequence[Row], info: RunInfo) -> list[str]:
    """Say what a run has found, in sentences, the most important first."""
    winner = next((row for row in rows if row.winner), None)
    exceeding = [
        f"Trial {r.trial_number} cannot win: {r.exceeds}."
        for r in rows
        if r.exceeds and not r.ensemble
    ]
    if winner is None and exceeding:
        return ["No configuration that ended on every seed keeps to the limits.", *exceeding]
    if winner is None:
        return ["No configuration ended on every seed."]
    first = (
        f"The winner is trial {winner.trial_number} ({winner.origin}), "
        f"{winner.architecture}: test {name_metric(rows)} {winner.reached:.4f}"
    )
    if winner.interval is not None:
        first += ", 95 % interval {:.4f} to {:.4f}".format(*winner.interval)
    if winner.compared_by.name != "accuracy":
        first += f"; test accuracy {winner.test_accuracy:.4f}"
    return [
        f"{first}.",
        _gain(winner),
        *_without_a_look(info.majority_class),
        *_claims(rows),
        _cost(winner),
        *(describe_ensemble(row) for row in rows if row.ensemble),
        *_cheap(winner, rows),
        *(
            f"{name_metric(rows).capitalize()} by {c}: {f}."
            for c, f in describe_fronts(rows).items()
        ),
        _choice(winner, rows),
        *exceeding,
        *(f"Trial {r.trial_number} dropped out: {r.dropped_out}." for r in rows if r.dropped_out),
        f"{info.data}.",
        *(f"Note: {note}." for note in info.notes),
    ]


def _gain(winner: Row) -> str:
    if winner.gain is None or winner.gain_low is None or winner.gain_high is None:
        if winner.origin not in REFERENCES:
            return "No published (or default) configuration can be compared with it."
        return (
            "The search found nothing better on validation than the published (or default) "
            "configuration."
        )
    lower = " (lower is better)" if winner.compared_by.direction == "minimize" else ""
    return (
        f"Gain{lower} over the published (or default) configuration, trial {winner.gain_over}: "
        f"{winner.gain:+.4f}, 95 % interval {winner.gain_low:+.4f} to {winner.gain_high:+.4f} "
        f"(p = {winner.gain_p_value:.2g})."
    )


def _without_a_look(majority: MajorityClass | None) -> list[str]:
    """Say what is reached without a look at the images, with Wilson's interval."""
    if majority is None or majority.num_test is None:
        return []
    right = round(majority.test_accuracy * majority.num_test)
    low, high = binomtest(right, majority.num_test).proportion_ci(method="wilson")
    return [
        f"Always answering {majority.name!r}, the commonest class, is right for "
        f"{majority.test_accuracy:.4f} of the test images, 95 % interval {low:.4f} to {high:.4f}."
    ]


def _claims(rows: Sequence[Row]) -> list[str]:
    """Set what the reports say of the published configurations beside what these reached here."""
    return [
        f"The report of system {row.system} claims {row.reported_accuracy:.4f} "
        f"({row.reported_metric}); its configuration, trial {row.trial_number}, "
        + ("diverged here." if row.test_accuracy is None else _reached(row))
        for row in rows
        if row.reported_accuracy is not None
    ]


def _reached(row: Row) -> str:
    return f"reached {row.test_accuracy:.4f} on test here, in {counted(row.epochs, 'epoch')}."


def _cost(winner: Row) -> str:
    words = [f"{winner.num_parameters:,} parameters"] if winner.num_parameters else []
    if winner.multiply_adds is not None:
        words.append(f"{format_count(winner.multiply_adds)} multiply-adds per image")
    if winner.latency_seconds is not None and winner.throughput is not None:
        words.append(f"{1000 * winner.latency_seconds:.3g} ms for one image")
        words.append(f"{winner.throughput:,.0f} images per second in batches")
    for place, size in (("host", winner.peak_host_bytes), ("GPU", winner.peak_device_bytes)):
        if size is not None:
            words.append(f"{size / GIB:.2g} GiB of {place} memory at most")
    words.append(f"{winner.train_seconds / max(winner.num_seeds, 1):,.0f} s to train on a seed")
    search = f"the search took {winner.search_seconds:,.0f} s"
    spent = [
        f"{seconds:,.0f} {unit}-seconds"
        for seconds, unit in (
            (winner.search_cpu_seconds, "CPU"),
            (winner.search_gpu_seconds, "GPU"),
        )
        if seconds
    ]
    words.append(f"{search} ({' and '.join(spent)} of training)" if spent else search)
    return f"Cost, on {winner.device}: {', '.join(words)}."


def describe_ensemble(row: Row) -> str:
    """Say what an ensemble reaches, at what cost, and what it gains over the exported model."""
    cost = [f"{format_count(row.num_parameters)} parameters"] if row.num_parameters else []
    if row.multiply_adds is not None:
        cost.append(f"{format_count(row.multiply_adds)} multiply-adds")
    if row.latency_seconds is not None:
        cost.append(f"{1000 * row.latency_seconds:.3g} ms for one image")
    told = (
        f"The ensemble of {len(row.members)} models reaches test {row.compared_by.words} "
        f"{row.reached:.4f}, for {', '.join(cost)}"
    )
    if row.gain is not None and row.gain_low is not None and row.gain_high is not None:
        lower = " (lower is better)" if row.compared_by.direction == "minimize" else ""
        told += (
            f": gain{lower} over the model that the winner exports {row.gain:+.4f}, 95 % interval "
            f"{row.gain_low:+.4f} to {row.gain_high:+.4f} (p = {row.gain_p_value:.2g})"
        )
    return f"{told}; it exceeds a limit: {row.exceeds}." if row.exceeds else f"{told}."


def _cheap(winner: Row, rows: Sequence[Row]) -> list[str]:
    """Name the best on validation of the rows that are cheap to train, if there is one."""
    limit = CHEAP * winner.seconds_of_a_seed
    cheap = [
        row
        for row in rows
        if row.reached is not None
        and not (row.ensemble or row.exceeds)
        and row.seconds_of_a_seed <= limit
    ]
    if not cheap:
        return []
    best = max(cheap, key=lambda row: row.val_score)
    times = winner.seconds_of_a_seed / max(best.seconds_of_a_seed, 1e-9)
    return [
        f"The best that trains in a tenth of the time or less is trial {best.trial_number}, "
        f"{best.architecture}, test {name_metric(rows)} {best.reached:.4f}, {times:,.0f} times as "
        "fast."
    ]


def describe_fronts(rows: Sequence[Row]) -> dict[str, str]:
    """Say which rows are on the Pareto front of the metric on test against a cost, the cheapest
    first, by that cost; nothing where there is one row.

    For instance: `training: linear 0.9100 in 0.4 s (trial 0), cnn 0.9880 in 14 s (trial 7)`
    """
    tested = [row for row in rows if row.reached is not None]
    if len(tested) < 2:
        return {}
    costs: dict[str, tuple[list[float | None], Callable[[float], str]]] = {
        "training": (
            [row.seconds_of_a_seed for row in tested],
            lambda s: f"in {format_number(s)} s",
        )
    }
    if all(row.multiply_adds is not None for row in tested):
        macs: list[float | None] = [row.multiply_adds for row in tested]
        costs["size"] = macs, lambda count: f"with {format_count(count)} multiply-adds"
    else:
        latencies = [row.latency_seconds for row in tested]
        costs["latency"] = latencies, lambda s: f"in {format_number(1000 * s)} ms for an image"
    scores = [row.score for row in tested]
    fronts = {}
    for name, (values, write) in costs.items():
        on_front = pareto_front(values, scores)
        chosen = [(cost, row) for cost, row, on in zip(values, tested, on_front, strict=True) if on]
        chosen.sort(key=lambda pair: (pair[0] or 0.0, pair[1].trial_number))
        fronts[name] = ", ".join(
            f"{row.architecture} {row.reached:.4f} {write(cost or 0.0)}"
            + ("" if row.ensemble else f" (trial {row.trial_number})")
            for cost, row in chosen
        )
    return {name: front for name, front in fronts.items() if front}


def _metric(winner: Row) -> str:
    """`accuracy (0.9876)`: what the winner was chosen by."""
    value = winner.val_accuracy if winner.val_metric is None else winner.val_metric
    return f"{(winner.metric or 'accuracy').replace('_', ' ')} ({value:.4f})"


def _choice(winner: Row, rows: Sequence[Row]) -> str:
    tied = sum(row.tie_group == winner.tie_group for row in rows if row.tie_group) - 1
    chosen = (
        f"Chosen by validation {_metric(winner)} over "
        f"{counted(winner.num_seeds, 'seed')} among {counted(winner.num_trials, 'configuration')} "
        f"tried; rank {winner.tie_group or '-'} by test"
        + (f", which it shares with {counted(tied, 'other')}." if tied > 0 else ".")
    )
    if winner.selection_gap is None:
        return chosen
    return (
        f"{chosen} The search saw {in_search(winner):.4f} on validation: "
        f"a selection gap of {winner.selection_gap:+.4f} to test."
    )
