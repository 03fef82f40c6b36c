"""The other processes of a trial that several train: actors in the trial's own placement group.

Why not Ray Train (2.60): inside a trial of Ray Tune it starts a controller, its workers and five
more actors anew each time, takes resources that Tune does not know of, and trains on while Tune
decides; and where Tune reuses its worker processes, the search stands still for good after the
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
"""For rank 0 to notice that the connection to a dead peer is closed. gloo does; NCCL may not."""

LAST_WORD_SECONDS = 5.0
"""For Ray to say that a peer has died, after a connection was closed."""

NO_TIMEOUT = timedelta(days=1)


class Peer:
    """A process that trains under rank 0's direction."""

    _training: "Training"

    def prepare(self) -> None:
        import_what_is_needed()

    def build(self, task: TrialTask, settings: TrialSettings, rank: int) -> None:
        from trainables.training.device import prepare_process
        from trainables.training.fit import build_training
        from trainables.training.process_group import ProcessGroup

        prepare_process(settings.gpus)
        inputs = settings.fetch()
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
        """Become one of the group, in the state of rank 0's training."""
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
    """Rank 0's view of the others, for one trial."""

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
        """On all peers at once; while it runs, rank 0 may wait for them in the same step."""
        self._pending = [getattr(actor, method).remote(*arguments) for actor in self._actors]
        for reference in self._pending:
            reference.future().add_done_callback(self._check)

    def _check(self, done: "Future[None]") -> None:
        error = done.exception()
        if isinstance(error, Exception) and not self._left.is_set():
            threading.Thread(target=self._end, args=(error,), daemon=True).start()

    def _end(self, error: Exception) -> None:
        """A peer that has failed leaves rank 0 waiting: end all, and rank 0's wait with them."""
        self._error = self._error or error
        _end_all()
        if not self._left.wait(GRACE_SECONDS):
            os._exit(1)

    def leave(self) -> None:
        from trainables.training.process_group import leave

        ray.get(self._pending)
        self._left.set()
        if self._joined:
            ray.get([actor.leave.remote() for actor in self._actors])
        leave()

    def give_up(self) -> Exception | None:
        """End the peers -> the error of the one that failed first, if any has."""
        from trainables.training.process_group import leave

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
    """The processes that train a trial with this one, rank 0; `None`: this one trains it alone.
    While they start, the watchdog is paused, as it is while rank 0's own process starts.

    Raises:
        RayError: A peer has failed; the others are ended.
    """
    if settings.workers == 1:
        yield None
        return
    with watchdog.paused():
        actors = _actors(settings.workers - 1)
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
"""The peers of this process's trials, by placement group: starting one costs seconds."""


def _actors(count: int) -> list[Any]:
    """Peers, in bundles 1 to `count` of the placement group that this process is in."""
    placement = ray.util.get_current_placement_group()
    if placement.id not in _running:
        _running.clear()
        actors = [_start(placement, bundle) for bundle in range(1, count + 1)]
        prepared = [actor.prepare.remote() for actor in actors]
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
    """The first `DistributedDataParallel` of a process imports it, for seconds."""
    import torch._dynamo  # noqa: F401

    import trainables.training.fit  # noqa: F401


def _end_all() -> None:
    for actors in list(_running.values()):
        for actor in actors:
            ray.kill(actor)
    _running.clear()
