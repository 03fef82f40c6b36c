"""The Ray boundary: a trial's configuration goes in, an epoch's figures come out.

The driver imports this module too, so torch is imported where a worker runs.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune

from trainables.config import ConfigError, Runtime
from trainables.datasets import ImageData


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSettings:
    """What all trials of a run share.

    Attributes:
        data: An object reference to the `ImageData`.
        folder: Where a trial may write, below its own name.
    """

    data: Any
    folder: Path


def train_trial(config: dict[str, Any], settings: TrialSettings) -> None:
    """Do what `config["task"]` says, reporting figures to Ray Tune.

    Args:
        config: For `search` and `retrain`: `name` of the trial, `seed`, `runtime` and `config`,
            flat; figures of every epoch are reported. For `probe`: `architecture`, `epochs` and
            `precision`; what was found is reported once.
        settings: What all trials of the run share.
    """
    from trainables.device import prepare_process

    prepare_process()
    data: ImageData = ray.get(settings.data)
    if config["task"] == "probe":
        tune.report({"figures": _probe(config, data)})
        return
    for figures in _train(config, data, settings.folder / config["name"]):
        tune.report({"figures": figures})


def _probe(config: dict[str, Any], data: ImageData) -> dict[str, str]:
    from trainables.device import probe

    pinned = None if config["precision"] == "auto" else config["precision"]
    try:
        runtime, default = probe(
            config["architecture"], data, pinned=pinned, epochs=config["epochs"]
        )
    except ConfigError as error:
        return {"error": str(error)}
    return {"found": json.dumps({"runtime": asdict(runtime), "default_config": default})}


def _train(config: dict[str, Any], data: ImageData, folder: Path) -> Iterator[dict[str, Any]]:
    """Figures by epoch; a retraining's last ones hold test's, and its model is in `folder`."""
    from trainables.export import save_model
    from trainables.fit import build_training, fit

    runtime = Runtime(**config["runtime"])
    training = build_training(config["config"], data, runtime, seed=config["seed"])
    num_parameters = sum(p.numel() for p in training.model.parameters() if p.requires_grad)
    for report in fit(training):
        figures: dict[str, Any] = {**asdict(report), "num_parameters": num_parameters}
        if config["task"] == "retrain" and report.epoch == training.config.epochs:
            test = training.evaluate(training.data.test)
            figures |= {f"test_{name}": value for name, value in asdict(test).items()}
            save_model(
                folder,
                training.model,
                config=config["config"],
                data=data,
                normalisation=training.data.normalisation,
            )
        yield figures
