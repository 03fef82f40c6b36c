"""Say what became of each architecture that a space chooses between, and what was not tried."""

from collections.abc import Collection, Mapping, Sequence

from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from trainables.datasets.errors import counted
from trainables.metrics import Metric
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.search.limits import NO_TIME, TOO_SLOW
from tune_jobs.engine.stages.candidates import find_skipped

NOT_BEGUN = "the search ended before its first trial"


def find_not_tried(search: Record, retrain: Record, with_a_row: Collection[str]) -> dict[str, str]:
    """Return why architectures of the space have no row, in words, by name."""
    skipped = find_skipped(retrain)
    return {
        name: _explain(trials, skipped)
        for name, trials in _by_architecture(search).items()
        if name not in with_a_row
    }


def _explain(trials: Sequence[RecordedTrial], skipped: Mapping[int, str]) -> str:
    """Return why an architecture of these trials has no row: by the first of them, its default."""
    if not trials:
        return NOT_BEGUN
    first = trials[0]
    if first.end_reason == NO_TIME and first.num_epochs:
        epoch = first.seconds / first.num_epochs
        return f"{TOO_SLOW}: an epoch takes {epoch:,.1f} s"
    return skipped.get(first.number) or first.end_reason or "unfinished"


def describe_architectures(search: Record, not_tried: Mapping[str, str]) -> str:
    """Write for instance `mlp best 0.9712 (5 trials, 12 s); resnet18 not tried`, in the space's
    order; nothing where it has no choice of architectures. What has fewer epochs than others is
    said to.

    Args:
        not_tried: Why architectures have no row, of the space or beside it.
    """
    most = _epochs(search.trials())
    told = {
        name: _describe([trial for trial in trials if not trial.is_left_out], search.metric, most)
        for name, trials in _by_architecture(search).items()
    }
    told |= {name: "not tried" for name in not_tried if name not in told}
    return "; ".join(
        f"{name} {text}: {not_tried[name]}" if name in not_tried else f"{name} {text}"
        for name, text in told.items()
    )


def _by_architecture(search: Record) -> dict[str, list[RecordedTrial]]:
    """Return the trials that have begun, or were left out, by the architectures of the space."""
    begun = [trial for trial in search.trials() if trial.state != TrialState.WAITING]
    named = (trial.frozen.distributions.get("architecture") for trial in begun)
    choice = next((d for d in named if isinstance(d, CategoricalDistribution)), None)
    names = choice.choices if choice else ()
    return {str(n): [t for t in begun if t.params.get("architecture") == n] for n in names}


def _describe(trials: Sequence[RecordedTrial], metric: Metric, most_epochs: int) -> str:
    if not trials:
        return "not tried"
    epochs = _epochs(trials)
    fewer = f" of {counted(epochs, 'epoch')}" if epochs < most_epochs else ""
    seconds = sum(trial.seconds for trial in trials)
    spent = f"{counted(len(trials), 'trial')}{fewer}, {seconds:,.0f} s"
    values = [trial.value for trial in trials if trial.value is not None]
    if values:
        return f"best {max(values, key=metric.score):.4f} ({spent})"
    return f"none to the end ({spent}; {trials[0].end_reason or 'unfinished'})"


def _epochs(trials: Sequence[RecordedTrial]) -> int:
    """Return the full budget of these trials, the longest one's; 0: none has a configuration."""
    budgets: list[int] = [trial.config["epochs"] for trial in trials if trial.config]
    return max(budgets, default=0)
