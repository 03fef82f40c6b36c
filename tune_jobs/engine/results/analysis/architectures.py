"""Say what became of each architecture that a space chooses between, and what was not tried."""

from collections.abc import Sequence

from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from trainables.datasets.errors import counted
from trainables.metrics import Metric
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial


def describe_architectures(search: Record) -> str:
    """Write for instance `mlp best 0.9712 (5 trials, 12 s); resnet18 not tried`, in the space's
    order; nothing where it has no choice of architectures."""
    begun = [trial for trial in search.trials() if trial.state != TrialState.WAITING]
    named = (trial.frozen.distributions.get("architecture") for trial in begun)
    choice = next((d for d in named if isinstance(d, CategoricalDistribution)), None)
    names = choice.choices if choice else ()
    by_name = {n: [t for t in begun if t.params.get("architecture") == n] for n in names}
    return "; ".join(f"{n} {_describe(trials, search.metric)}" for n, trials in by_name.items())


def _describe(trials: Sequence[RecordedTrial], metric: Metric) -> str:
    if not trials:
        return "not tried"
    spent = f"{counted(len(trials), 'trial')}, {sum(trial.seconds for trial in trials):,.0f} s"
    values = [trial.value for trial in trials if trial.value is not None]
    if values:
        return f"best {max(values, key=metric.score):.4f} ({spent})"
    return f"none to the end ({spent}; {trials[0].end_reason or 'unfinished'})"
