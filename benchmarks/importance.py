"""How well a search tells which parameter mattered most, on replayed searches.

    python -m benchmarks.importance [TASK ...] [--seeds 6]

The truth is fANOVA over 800 configurations that are drawn uniformly, by the surrogate's last
accuracy. It is compared with what is found in the first 8, 16, 32 and 64 trials of replayed
searches, by the rule of the report and by others. Printed is the share of the searches whose first
parameter is the right one, and of the three first ones that are among the true three.
"""

import argparse
import statistics
import warnings
from collections.abc import Callable, Sequence

import optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.importance._base import BaseImportanceEvaluator
from optuna.samplers import RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from benchmarks.record_curves import TASKS, Task
from benchmarks.replay import Ours, replay
from benchmarks.surrogate import Surrogate, recorded
from tune_jobs.engine.results.analysis.importance import lay_trials
from tune_jobs.engine.search.history import ranked

NUM_TRUE = 800
STOPPED_AT = (8, 16, 32, 64)

Trials = Sequence[FrozenTrial]


def rank(trials: Trials, evaluator: BaseImportanceEvaluator) -> list[str]:
    """The parameters, the most important first; empty: nothing can be told."""
    laid = lay_trials(trials, StudyDirection.MAXIMIZE) if len(trials) > 1 else None
    return list(get_param_importances(laid, evaluator=evaluator)) if laid else []


def full_budget(trials: Trials) -> Trials:
    return [trial for trial in trials if trial.state == TrialState.COMPLETE]


METHODS: dict[str, Callable[[Trials], list[str]]] = {
    "fANOVA, all trials": lambda trials: rank(trials, FanovaImportanceEvaluator(seed=0)),
    "fANOVA, full budget alone": lambda trials: rank(
        full_budget(trials), FanovaImportanceEvaluator(seed=0)
    ),
    "PED-ANOVA, best quarter": lambda trials: rank(
        trials, PedAnovaImportanceEvaluator(target_quantile=0.25)
    ),
}


def find_truth(task: Task, surrogate: Surrogate) -> list[str]:
    study = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=0))
    for _ in range(NUM_TRUE):
        trial = study.ask()
        task.space(trial)
        study.tell(trial, float(surrogate.curve(trial.params).averaged[-1]))
    return rank(study.trials, FanovaImportanceEvaluator(seed=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=6)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # PED-ANOVA's, of few trials
    for name, task, surrogate in recorded(given.tasks):
        truth = find_truth(task, surrogate)
        print(f"{name}: truly {', '.join(truth[:3])}")
        found: dict[tuple[str, int], list[list[str]]] = {}
        for seed in range(given.seeds):
            ours = Ours(task, max(STOPPED_AT), seed)
            replay(ours, task, surrogate, seed)
            trials = ranked(ours.search.record.study)
            for stop in STOPPED_AT:
                first = [trial for trial in trials if trial.number < stop]
                for method, ranks in METHODS.items():
                    found.setdefault((method, stop), []).append(ranks(first))
        for (method, stop), rankings in sorted(found.items()):
            right = statistics.fmean(ranking[:1] == truth[:1] for ranking in rankings)
            shared = statistics.fmean(
                len({*ranking[:3]} & {*truth[:3]}) / 3 for ranking in rankings
            )
            print(f"  {method}, {stop} trials: first right {right:.2f}, of three {shared:.2f}")


if __name__ == "__main__":
    main()
