"""Read a journal as Optuna does, at a cost and in a memory that do not grow with the trials."""

from collections import defaultdict, deque
from collections.abc import Container, Generator
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState


class JournalFile(JournalFileBackend):
    """Remembers where the next line begins, and shares the names in all lines.

    Optuna's remembers where every line begins. A name in a line, of a metric for instance, is a
    text of its own in memory otherwise: those of an epoch take more than its numbers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: dict[str, str] = {}

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        for log in super().read_logs(log_number_from):
            yield self._share(log)
        newest = max(self._log_number_offset)
        self._log_number_offset = {0: 0, newest: self._log_number_offset[newest]}

    def _share(self, value: Any) -> Any:
        if isinstance(value, dict):
            names = self._names
            return {names.setdefault(n, n): self._share(inner) for n, inner in value.items()}
        return value


class Journal(JournalStorage):
    """Lists all trials, for a sampler, and those that wait, for which Optuna asks before each
    proposal, in a fraction of Optuna's time: it looks at the state of each."""

    def __init__(self, file: JournalFile) -> None:
        super().__init__(file)
        self._ended: defaultdict[int, list[FrozenTrial]] = defaultdict(list)
        """By study: its first trials, up to one that runs or waits. What has ended is final."""

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        if deepcopy or states not in (None, (TrialState.WAITING,)):
            return super().get_all_trials(study_id, deepcopy, states)
        with self._thread_lock:
            self._sync_with_backend()
            ended = self._ended[study_id]
            trial_ids = self._replay_result._study_id_to_trial_ids[study_id]
            trials = self._replay_result._trials
            later = deque(trials[trial_id] for trial_id in trial_ids[len(ended) :])
            while later and later[0].state.is_finished():
                ended.append(later.popleft())
            if states is None:
                return [*ended, *later]
            return [trial for trial in later if trial.state == TrialState.WAITING]
