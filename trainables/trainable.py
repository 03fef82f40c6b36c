"""The Ray boundary: a trial's configuration goes in, an epoch's figures come out.

The driver imports this module too, so torch is imported where a worker runs.
"""

import json
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from trainables.config import ConfigError, Runtime
from trainables.peers import gather
from trainables.storage import LocalStorage, Storage, files_for
from trainables.storage_errors import StorageError, storage_errors

if TYPE_CHECKING:
    from trainables.given import Given
    from trainables.team import Team
    from trainables.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSettings:
    """What all trials of a run share.

    Attributes:
        data, features, pretrained: Object references to an `ImageData`, and to a `FeatureData`
            and a `Pretrained`, or `None`.
        rungs: Epochs at which early stopping looks at a trial.
        place: Where a trial keeps its files, below its own name.
        timeout_seconds: After so long without progress a trial's process ends itself.
        workers: Processes that train a trial; each has a bundle of its placement group.
        gpus: What each of them has.
    """

    data: Any
    features: Any
    pretrained: Any
    rungs: tuple[int, ...]
    place: Storage
    timeout_seconds: float | None
    workers: int = 1
    gpus: float = 1.0

    def fetch(self) -> "Given":
        """The shared objects themselves; their arrays stay in the object store."""
        from trainables.given import Given

        return Given(
            data=ray.get(self.data),
            features=self.features and ray.get(self.features),
            pretrained=self.pretrained and ray.get(self.pretrained),
            rungs=self.rungs,
        )


def train_trial(config: dict[str, Any], settings: TrialSettings) -> None:
    """Do what `config["task"]` says, reporting figures to Ray Tune.

    Args:
        config: For `search` and `retrain`: `name` of the trial, `seed`, `runtime`, `config`, flat,
            and the last epoch `reported` before; figures of every epoch are reported. For
            `probe`: `config`, the one to measure over its architecture's defaults,
            `architectures`, whose defaults are told, `epochs` and `precision`; what was found is
            reported once.
        settings: What all trials of the run share.
    """
    from trainables.device import prepare_process
    from trainables.watchdog import Watchdog

    prepare_process(settings.gpus)
    given = settings.fetch()
    if config["task"] == "probe":
        tune.report({"figures": _probe(config, given)})
        return
    check_run_folder(settings.place)
    place = settings.place.child(config["name"])
    try:
        with (
            storage_errors(),
            Watchdog(settings.timeout_seconds, place) as watchdog,
            gather(config, settings, watchdog) as team,
        ):
            for figures in _train(config, given, place, watchdog, team):
                with watchdog.paused():
                    tune.report({"figures": figures})
    except ConfigError as error:  # another attempt would not mend it
        tune.report({"figures": {"error": str(error)}})


def check_run_folder(place: Storage) -> None:
    """Whether this node, which may have joined after the run began, sees the run.

    Args:
        place: `checkpoints` in the run's folder.

    Raises:
        StorageError: It does not: what a trial left here, no other node would find.
    """
    if isinstance(place, LocalStorage) and not place.path.parent.is_dir():
        raise StorageError(f"{socket.gethostname()} does not share it: no {place.path.parent}")


def retrain_once(config: dict[str, Any], settings: TrialSettings) -> dict[str, Any]:
    """A retraining outside Ray Tune -> the last epoch's figures; the rest is in its folder."""
    from trainables.device import prepare_process
    from trainables.watchdog import Watchdog

    prepare_process(settings.gpus)
    place = settings.place.child(config["name"])
    with (
        Watchdog(settings.timeout_seconds, place) as watchdog,
        gather(config, settings, watchdog) as team,
    ):
        *_, last = _train(config, settings.fetch(), place, watchdog, team)
    return last


def _probe(config: dict[str, Any], given: "Given") -> dict[str, str]:
    from trainables.catalogue import default_of
    from trainables.probe import probe

    pinned = None if config["precision"] == "auto" else config["precision"]
    try:
        defaults = {name: default_of(name, config["epochs"]) for name in config["architectures"]}
        first = {**defaults[config["config"]["architecture"]], **config["config"]}
        runtime = probe(first, given, pinned=pinned)
    except ConfigError as error:
        return {"error": str(error)}
    return {"found": json.dumps({"runtime": asdict(runtime), "default_configs": defaults})}


def _train(
    config: dict[str, Any], given: "Given", place: Storage, watchdog: "Watchdog", team: "Team"
) -> Iterator[dict[str, Any]]:
    """Figures by epoch; a retraining's last ones hold test's, and its model is in `place`."""
    from trainables.checkpoint import Checkpoints
    from trainables.cost import forget_peak
    from trainables.held_out import evaluate_on_test
    from trainables.session import Session
    from trainables.trials import build_trial

    forget_peak()
    if config["task"] == "retrain":
        given = replace(given, rungs=())
    runtime = Runtime(**config["runtime"])
    trial = build_trial(config["config"], given, runtime, seed=config["seed"], team=team)
    session = Session(
        checkpoints=Checkpoints(place), watchdog=watchdog, reported=config["reported"]
    )
    for figures in trial.figures(session):
        if config["task"] == "retrain" and figures["epoch"] == trial.epochs:
            with files_for(place) as folder:
                figures |= evaluate_on_test(trial, given.data, folder)
                trial.save(folder)
        yield figures
