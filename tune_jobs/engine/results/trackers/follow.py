"""Follow a run's record with trackers, each in a thread beside the run.

What is sent is read from the record, and what a tracker has is asked of the tracker: so a tracker
that was down, or a session that was killed, leaves nothing out and nothing twice.
"""

import math
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import Self

from trainables.storage import LocalStorage, Storage, fetched
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.record.record import Record
from tune_jobs.engine.record.recorded_trial import RecordedTrial
from tune_jobs.engine.results.trackers.tracker import TrackedRun, Tracker, redacted

EVERY_SECONDS = 5.0
"""The record is sent this often: as soon as people who watch a tracker look again."""

PATIENCE_SECONDS = 60.0
"""A run that has ended waits for a tracker as long as it takes something within this time."""


MOST_ERRORS = 3
"""A tracker that has not taken so many trials is taken for out of reach, until the next time."""


class Trackers:
    """Has the record of a run followed by all of its trackers; leaving the block, however that
    comes, sends what is missing."""

    def __init__(self, connect: Mapping[str, Callable[[], Tracker]]) -> None:
        self._followers = [_Follower(name, how) for name, how in connect.items()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for follower in self._followers:
            follower.stop()
        for follower in self._followers:
            follower.wait()

    def follow(self, records: Callable[[], Sequence[Record]]) -> None:
        """Begin to send what the records have, of which there may be none yet."""
        for follower in self._followers:
            follower.follow(records)

    def keep(self, files: Sequence[str | None]) -> None:
        """Send files too, by their paths or URIs, once all else is sent."""
        for follower in self._followers:
            follower.files = [file for file in files if file]


def open_trackers(job: Job, options: Options, storage: Storage) -> Trackers:
    """Open the trackers that `--log` names; nothing is sent yet.

    Raises:
        RequestError: One of them cannot be used here.
    """
    run = TrackedRun(
        job=job.name,
        run_id=options.run_id,
        dataset=options.dataset,
        folder=storage.path if isinstance(storage, LocalStorage) else None,
    )
    connect = {}
    for name in options.trackers:
        # The module of a tracker has `check(run)` and `connect(run) -> Tracker`.
        module = import_module(f"tune_jobs.engine.results.trackers.{name}")
        module.check(run)
        connect[name] = partial(module.connect, run)
    return Trackers(connect)


class _Follower:
    """Sends to one tracker what it lacks of the record. An error is told once, and the run goes on.

    Attributes:
        files: Sent once the run has ended.
    """

    def __init__(self, name: str, connect: Callable[[], Tracker]) -> None:
        self.files: Sequence[str] = ()
        self._name = name
        self._connect = connect
        self._tracker: Tracker | None = None
        self._records: Callable[[], Sequence[Record]] = tuple
        # By name and number of a trial; infinity: its end is sent too.
        self._last_epochs: dict[tuple[str, int], float] = {}
        self._num_answers = 0
        self._has_told = False
        self._is_left = False  # to itself: the run has ended without it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def follow(self, records: Callable[[], Sequence[Record]]) -> None:
        self._records = records
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def wait(self) -> None:
        """Wait until all is sent, or the tracker has taken nothing for a while."""
        seen = -1
        while self._thread.is_alive() and seen != self._num_answers:
            seen = self._num_answers
            self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            self._warn("it does not answer: not all has been sent; resuming the run sends the rest")
            self._is_left = True

    def _repeat(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            error = self._attempt(self._send)
            if error and not self._has_told:
                self._has_told = True
                self._warn(f"{error}: the run goes on, and what is missing is sent later")
        errors = [self._attempt(self._send), self._attempt(self._send_files)]
        if self._tracker:
            errors.append(self._attempt(self._tracker.close))
        if error := next(filter(None, errors), None):
            self._warn(f"{error}: not all has been sent; resuming the run sends the rest")

    def _attempt(self, action: Callable[[], None]) -> str | None:
        """Do an action -> why it failed."""
        try:
            if not self._is_left:
                action()
        except Exception as error:  # clients raise almost any type; none of them may end the run
            return redacted(str(error)) or type(error).__name__
        return None

    def _warn(self, text: str) -> None:
        if not self._is_left:
            print(f"warning: --log {self._name}: {text}", file=sys.stderr)

    def _send(self) -> None:
        records = self._records()
        if records and self._tracker is None:
            self._tracker = self._connect()
            self._num_answers += 1
        # A pair of the retraining that failed is trained again under its name, by a later trial.
        begun = {
            record.name_of(trial.frozen): trial
            for record in records
            for trial in record.trials()
            if trial.config is not None
        }
        errors: list[Exception] = []
        for name, trial in begun.items():
            try:
                self._send_trial(name, trial)
            except Exception as error:  # of this trial perhaps: the others do not wait for it
                errors.append(error)
                if len(errors) == MOST_ERRORS:
                    break
        if errors:
            raise errors[0]

    def _send_trial(self, name: str, trial: RecordedTrial) -> None:
        tracker, key = self._tracker, (name, trial.number)
        assert tracker is not None
        if key not in self._last_epochs:
            self._has_taken(key, tracker.begin(name, trial))
        last = self._last_epochs[key]
        if last == math.inf:
            return
        epochs = [metrics for epoch, metrics in sorted(trial.epochs.items()) if epoch > last]
        if epochs:
            tracker.add(name, trial, epochs)
            self._has_taken(key, epochs[-1].epoch)
        if trial.state.is_finished():
            tracker.end(name, trial)
            self._has_taken(key, math.inf)

    def _has_taken(self, key: tuple[str, int], epoch: float) -> None:
        self._last_epochs[key] = epoch
        self._num_answers += 1

    def _send_files(self) -> None:
        if self._tracker and self.files:
            with ExitStack() as copies:
                self._tracker.keep([copies.enter_context(fetched(file)) for file in self.files])
