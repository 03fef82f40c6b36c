"""The source's own errors, which Ray Tune would make a text of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tune_jobs.engine.stages.source import TrialSource


class KeptErrors:
    """A source of trials that keeps the first error of another one: it ended the run, and Ray Tune
    passes it on as the text of a `TuneError`."""

    def __init__(self, source: TrialSource) -> None:
        self.error: Exception | None = None
        self._source = source

    @property
    def finished(self) -> bool:
        with self._keeping():
            return self._source.finished

    def next_trial(self) -> dict[str, Any] | None:
        with self._keeping():
            return self._source.next_trial()

    def on_start(self, trial: Mapping[str, Any]) -> None:
        with self._keeping():
            self._source.on_start(trial)

    def on_report(self, trial: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
        with self._keeping():
            return self._source.on_report(trial, figures)

    def on_attempt_failed(self, trial: Mapping[str, Any], cause: str) -> None:
        with self._keeping():
            self._source.on_attempt_failed(trial, cause)

    def on_failure(self, trial: Mapping[str, Any], cause: str) -> None:
        with self._keeping():
            self._source.on_failure(trial, cause)

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = self.error or error
            raise
