"""Train a trial by several processes: the trial's own, rank 0, and actors in its placement group.

Ray Train (2.60) is no alternative: inside a trial of Ray Tune it starts a controller, its workers
and five more actors anew each time, takes resources that Tune does not know of, and trains on while
Tune decides; and where Tune reuses its worker processes, the search stands still for good after the
first trial that was stopped. These actors wait between epochs, stay from trial to trial, and die
with the trial's process, which owns them.
"""

import io
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from trainables.metrics import EpochMetrics
from trainables.trials.task import TrialTask
from trainables.worker.settings import TrialSettings

if TYPE_CHECKING:
    from trainables.training.fit import Training
    from trainables.trials.watchdog import Watchdog

GRACE_SECONDS = 30.0
"""Rank 0 has this long to notice that a dead peer's connection is closed. NCCL may never do so."""

LAST_WORD_SECONDS = 5.0
"""Ray has this long to say that a peer has died, after a connection was closed."""

NO_TIMEOUT = timedelta(days=1)
"""Stands for no timeout: torch takes `None` for a default of its own, of some minutes."""


class Peer:
    """Trains one process's part of every batch, under rank 0's direction."""

    _training: "Training"

    def prepare(self, settings: TrialSettings) -> None:
        """Import, and copy images to a node that lacks them, while the watchdog is paused."""
        import_what_is_needed()
        settings.fetch()

    def build(self, task: TrialTask, settings: TrialSettings, rank: int) -> None:
        from trainables.training.device import prepare_process
        from trainables.training.fit import build_training
        from trainables.training.process_group import ProcessGroup

        prepare_process(settings.gpus)
        inputs = settings.fetch().seen_by(task.config)
        self._training = build_training(
            task.config,
            inputs.data,
            task.runtime,
            seed=task.seed,
            features=inputs.features,
            pretrained=inputs.pretrained,
            group=ProcessGroup(rank=rank, size=settings.workers),
        )

    def join(self, host: str, port: int, timeout: timedelta, state: bytes) -> None:
        """Join the process group, in the state of rank 0's training."""
        import torch

        from trainables.training.process_group import connect, join

        training = self._training
        loaded = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
        training.load_state_dict(loaded)
        here = ray.util.get_node_ip_address()
        join(training.group, connect(host, port, timeout), training.runtime, here, timeout)

    def run_steps(self, ended: list[EpochMetrics]) -> None:
        """Train for an epoch, after taking in the epochs that rank 0 has ended since it called."""
        for metrics in ended:
            self._training.end_epoch(metrics)
        self._training.run_steps()

    def leave(self) -> None:
        from trainables.training.process_group import leave

        leave()


class Peers:
    """Directs a trial's other processes from rank 0."""

    def __init__(self, task: TrialTask, settings: TrialSettings, actors: list[Any]) -> None:
        from trainables.training.process_group import ProcessGroup

        self.group = ProcessGroup(size=settings.workers)
        seconds = settings.timeout_seconds
        self._timeout = timedelta(seconds=seconds) if seconds else NO_TIMEOUT
        self._actors = actors
        self._pending = [
            actor.build.remote(task, settings, rank)
            for rank, actor in enumerate(self._actors, start=1)
        ]
        self._joined = False
        self._known_epochs = 0
        self._left = threading.Event()
        self._error: Exception | None = None

    def begin_epoch(self, training: "Training") -> None:
        """Have all peers begin the epoch that rank 0 begins."""
        ray.get(self._pending)
        if not self._joined:
            self._join(training)
        news = training.history[self._known_epochs :]
        self._known_epochs = training.epoch
        self._call("run_steps", news)

    def _join(self, training: "Training") -> None:
        import torch

        from trainables.training.process_group import join, listen

        state = io.BytesIO()
        torch.save(training.state_dict(), state)
        here = ray.util.get_node_ip_address()
        store = listen(here, self._timeout)
        self._joined, self._known_epochs = True, training.epoch
        self._call("join", here, store.port, self._timeout, ray.put(state.getvalue()))
        join(training.group, store, training.runtime, here, self._timeout)
        ray.get(self._pending)

    def _call(self, method: str, *arguments: Any) -> None:
        """Call a method on all peers without waiting: rank 0 then does its part of the same work.
        While it waits for them in there, a callback sees that a call has failed."""
        self._pending = [getattr(actor, method).remote(*arguments) for actor in self._actors]
        for reference in self._pending:
            reference.future().add_done_callback(self._check)

    def _check(self, done: "Future[None]") -> None:
        error = done.exception()
        if isinstance(error, Exception) and not self._left.is_set():
            # This thread may be Ray's own, and `_end` waits.
            threading.Thread(target=self._end, args=(error,), daemon=True).start()

    def _end(self, error: Exception) -> None:
        """End all peers since one has failed: rank 0, which may wait for it, sees them gone."""
        self._error = self._error or error
        _end_all()
        if not self._left.wait(GRACE_SECONDS):
            os._exit(1)  # rank 0 hangs in a collective, where no exception reaches it

    def leave(self) -> None:
        from trainables.training.process_group import leave

        ray.get(self._pending)
        self._left.set()
        if self._joined:
            ray.get([actor.leave.remote() for actor in self._actors])
        leave()

    def give_up(self) -> Exception | None:
        """End the peers; return the error of the one that failed first, if any has."""
        from trainables.training.process_group import leave

        # Rank 0 may have seen a closed connection alone: Ray knows of what the peer died.
        if self._joined and self._error is None:
            done, _ = ray.wait(self._pending, timeout=LAST_WORD_SECONDS)
            try:
                ray.get(done)
            except ray.exceptions.RayError as error:
                self._error = error
        self._left.set()
        _end_all()
        leave()
        return self._error


@contextmanager
def gather(
    task: TrialTask, settings: TrialSettings, watchdog: "Watchdog"
) -> "Iterator[Peers | None]":
    """Yield the processes that train a trial with this one, rank 0; `None` where it trains alone.

    The watchdog is paused while they start, since it does not run while rank 0 starts either.

    Raises:
        RayError: A peer has failed; all peers are ended.
    """
    if settings.workers == 1:
        yield None
        return
    with watchdog.paused():
        actors = _actors(settings)
    peers = Peers(task, settings, actors)
    try:
        yield peers
    except Exception as error:
        if cause := peers.give_up():
            raise cause from error
        raise
    except BaseException:  # Ray Tune ends a trial by SystemExit, as it reports
        peers.leave()
        raise
    peers.leave()


_running: dict[Any, list[Any]] = {}
"""The peers of this process's trials, by placement group. They are kept from trial to trial, since
starting one takes seconds."""


def _actors(settings: TrialSettings) -> list[Any]:
    """Return peers in all bundles but the first of this process's placement group."""
    placement = ray.util.get_current_placement_group()
    if placement.id not in _running:
        _running.clear()  # Ray ends an actor once nobody has a handle of it
        actors = [_start(placement, bundle) for bundle in range(1, settings.workers)]
        prepared = [actor.prepare.remote(settings) for actor in actors]
        import_what_is_needed()
        ray.get(prepared)
        _running[placement.id] = actors
    return _running[placement.id]


def _start(placement: Any, bundle: int) -> Any:
    wanted = placement.bundle_specs[bundle]
    return (
        ray.remote(Peer)
        .options(
            num_cpus=wanted.get("CPU", 0),
            num_gpus=wanted.get("GPU", 0),
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                placement, placement_group_bundle_index=bundle
            ),
        )
        .remote()
    )


def import_what_is_needed() -> None:
    """Import what the first `DistributedDataParallel` of a process would import, for seconds."""
    import torch._dynamo  # noqa: F401

    import trainables.training.fit  # noqa: F401


def _end_all() -> None:
    for actors in list(_running.values()):
        for actor in actors:
            ray.kill(actor)
    _running.clear()
