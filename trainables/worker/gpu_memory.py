"""Measure how much of a GPU's memory training takes, on whole batches of the data itself."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from trainables.architectures import find_architecture
from trainables.config import ConfigError, Configuration, Runtime, parse_trial
from trainables.metrics import EpochMetrics
from trainables.registry import is_estimator
from trainables.training.evaluate import BATCH_SIZE
from trainables.training.fit import build_training
from trainables.trials.inputs import TrialInputs

STEPS = 2
"""The number of steps: the first one ends with the optimizer's state allocated, so that the second
has all of the memory's contents at once."""


def measure_need(configs: Sequence[Configuration], inputs: TrialInputs, runtime: Runtime) -> int:
    """Return the most bytes that torch reserves on this process's GPU for any of `configs`; all of
    the GPU's, where a batch had to be split.

    Raises:
        ConfigError: A configuration breaks a rule, or torch has no GPU.
    """
    if not torch.cuda.is_available():
        raise ConfigError("torch finds no GPU where Ray has one")
    need = 0
    for flat in configs:
        if is_estimator(flat["architecture"]):
            continue  # trains on the CPU
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        if (rehearse(flat, inputs, runtime).num_micro_batches or 1) > 1:
            return device_bytes()
        need = max(need, torch.cuda.max_memory_reserved())
    return need * max(1, len(inputs.folds))  # whose models are all there at once


def device_bytes() -> int:
    return int(torch.cuda.get_device_properties().total_memory)


def rehearse(flat: Configuration, inputs: TrialInputs, runtime: Runtime) -> EpochMetrics:
    """Train an epoch of `STEPS` full batches, and evaluate on one batch."""
    config, _ = parse_trial(flat, find_architecture(flat["architecture"]).Config)
    inputs = inputs.seen_by(flat)
    data, num_train = inputs.data, STEPS * config.batch_size
    few = replace(
        data,
        train_indices=data.train_indices[:num_train],
        validation_indices=data.validation_indices[:BATCH_SIZE],
        split_fingerprint=f"{data.split_fingerprint}, the first {num_train}",
    )
    training = build_training(
        {**flat, "head_epochs": 0},  # all layers need the most memory
        few,
        runtime,
        seed=0,
        features=inputs.features,
        pretrained=inputs.pretrained,
    )
    return training.run_epoch()
