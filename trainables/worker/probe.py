"""Measure in which arithmetic an architecture trains fastest: once, then it is the same for all of
its trials."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from trainables.architectures import find_architecture
from trainables.config import (
    ConfigError,
    Configuration,
    Precision,
    Runtime,
    TrialConfig,
    parse_estimator,
    parse_trial,
)
from trainables.registry import is_estimator
from trainables.training.device import autocast, memory_bytes, memory_format
from trainables.training.inputs import build_inputs, place
from trainables.training.pretrained import start_from
from trainables.trials.cost import count_multiply_adds
from trainables.trials.inputs import TrialInputs
from trainables.trials.report import TrainingCost

PROBE_SECONDS = 0.8
"""Combinations of precision and memory format take turns for this long; the first step of each is
not counted."""

PROBE_BATCH_SIZE = 32

LEAST_BATCH_SIZE = 4

STEP_SECONDS = 0.5
"""Fewer images make a batch where a step would take longer: large images, or a large network. Each
of too few seems to take longer: with 0.1 s, MobileNetV2 at 32 pixels took twice as long."""

MOST_OF_A_TRIAL = 0.25
"""The most images that all combinations see together, as a share of those that a trial sees."""

WORTH_A_CHANGE = 1.1
"""A combination must be faster than a plainer one by this factor to be taken."""

HOPELESS = 2.0
"""A combination whose first steps take this many times as long as the best one's takes no further
turns."""


def probe(flat: Configuration, inputs: TrialInputs, *, pinned: Precision | None) -> Runtime:
    """Measure a configuration's model on random inputs of the data's shape.

    Args:
        flat: The run's first configuration, complete.
        inputs: Give the shape of a batch, the number of classes, and the weights to start from.
        pinned: A precision to keep; then only the memory format is probed.

    Returns:
        The plainest of the combinations that are about as fast as any here. An estimator has no
        choice: fp32 on the CPU.

    Raises:
        ConfigError: The configuration breaks a rule, or the weights do not fit its model.
    """
    if is_estimator(flat["architecture"]):
        from trainables.estimators import find_estimator

        parse_estimator(flat, find_estimator(flat["architecture"]).Config)
        return Runtime(device="cpu")
    runtime, _ = _find_fastest(flat, inputs.seen_by(flat), pinned)
    return runtime


def _find_fastest(
    flat: Configuration, inputs: TrialInputs, pinned: Precision | None
) -> tuple[Runtime, float]:
    """Return the plainest of the combinations that are about as fast as any here, and in how many
    seconds it trains on an image.

    Args:
        inputs: As the configuration sees them.
    """
    candidates = _candidates(pinned)
    config, model, shape_CHW = _build_network(flat, inputs, candidates[0])
    if inputs.pretrained and inputs.features is None:
        start_from(model, inputs.pretrained)

    def build_steps(runtimes: Sequence[Runtime], num_images: int) -> list[Callable[[], None]]:
        images_NCHW = torch.randn(num_images, *shape_CHW)
        labels_N = torch.randint(inputs.data.num_classes, (num_images,))
        return [_build_step(deepcopy(model), r, images_NCHW, labels_N) for r in runtimes]

    allowed = int(MOST_OF_A_TRIAL * config.epochs * len(inputs.data.train_indices))
    [first] = build_steps(candidates[:1], LEAST_BATCH_SIZE)
    first()  # not counted: it allocates, and picks algorithms
    in_time = int(LEAST_BATCH_SIZE * STEP_SECONDS / _seconds(first))
    most = min(PROBE_BATCH_SIZE, in_time, allowed // (2 * len(candidates)))
    num_images = max(LEAST_BATCH_SIZE, most)
    steps = build_steps(candidates, num_images)
    seconds = _race(steps, rounds=allowed // (num_images * len(candidates)))
    paired = zip(candidates, seconds, strict=True)
    return next(
        (runtime, taken / num_images)
        for runtime, taken in paired
        if taken <= WORTH_A_CHANGE * min(seconds)
    )


def check_proposals(proposals: Sequence[Configuration], inputs: TrialInputs) -> None:
    """Check that a network of one of the proposals, at least, can be built and takes the images.

    The first one that does ends the check, so that it costs next to nothing where all is well.

    Args:
        proposals: Complete configurations, as the search may propose them.

    Raises:
        ConfigError: None can, so that every trial would fail.
    """
    causes = []
    for flat in proposals:
        if is_estimator(flat["architecture"]):
            return
        try:
            seen = inputs.seen_by(flat)
            _, model, shape_CHW = _build_network(flat, seen, _candidates(None)[0])
            with torch.no_grad():
                model(torch.randn(2, *shape_CHW))
        except Exception as error:  # a network of the user's own may raise anything
            causes.append(error if isinstance(error, ConfigError) else repr(error))
        else:
            return
    if causes:
        raise ConfigError(
            f"space: none of {len(causes)} configurations sampled from it can be trained: "
            f"{causes[0]}"
        )


def measure_costs(
    configs: Sequence[Configuration], inputs: TrialInputs, pinned: Precision | None
) -> dict[str, TrainingCost]:
    """Measure what networks cost to train, by architecture, and in which arithmetic they train
    fastest, or what features cost that configurations name.

    An estimator, which has no steps, is left out where it names none. So is what cannot be trained:
    its trial says why.
    """
    found = {}
    for flat in configs:
        with suppress(Exception):  # a network of the user's own may raise anything
            if flat.get("features"):
                found[flat["architecture"]] = TrainingCost(
                    multiply_adds=None,
                    epoch_seconds=0.0,
                    features_seconds=inputs.estimate_features(flat),
                )
            elif not is_estimator(flat["architecture"]):
                found[flat["architecture"]] = _measure_cost(flat, inputs.seen_by(flat), pinned)
    return found


def _measure_cost(
    flat: Configuration, inputs: TrialInputs, pinned: Precision | None
) -> TrainingCost:
    _, model, shape_CHW = _build_network(flat, inputs, _candidates(pinned)[0])
    runtime, seconds = _find_fastest(flat, inputs, pinned)
    return TrainingCost(
        multiply_adds=count_multiply_adds(model, torch.randn(1, *shape_CHW)),
        epoch_seconds=seconds * len(inputs.data.train_indices),
        runtime=runtime,
    )


def _build_network(
    flat: Configuration, inputs: TrialInputs, runtime: Runtime
) -> tuple[TrialConfig, nn.Module, tuple[int, int, int]]:
    """Build a configuration's network, on the CPU; return how it trains, it, and the shape of what
    it takes."""
    architecture = find_architecture(flat["architecture"])
    config, own = parse_trial(flat, architecture.Config)
    placed = place(inputs.data, inputs.features, runtime)
    batches = build_inputs(placed, config, runtime, inputs.pretrained)
    model = architecture.build(
        own,
        in_channels=batches.in_channels,
        image_size=batches.image_size,
        num_classes=inputs.data.num_classes,
    )
    return config, model, (batches.in_channels, *batches.image_size)


def _candidates(pinned: Precision | None) -> list[Runtime]:
    """List the combinations to measure, the plainest first: fp32, contiguous."""
    here = Runtime(device="cpu", memory_bytes=memory_bytes())
    if torch.cuda.is_available():
        here = replace(here, device="cuda", device_name=torch.cuda.get_device_name())
    precisions: tuple[Precision, ...] = (pinned,) if pinned else _sensible_precisions(here)
    return [
        replace(here, precision=precision, channels_last=channels_last)
        for precision in precisions
        for channels_last in (False, True)
    ]


def _sensible_precisions(runtime: Runtime) -> tuple[Precision, ...]:
    """Return the precisions worth measuring: a CPU without bf16 instructions emulates them, over
    ten times slower than fp32."""
    if runtime.device == "cuda":
        return ("fp32", "bf16")
    cpu = Path("/proc/cpuinfo")
    flags = set(cpu.read_text().split()) if cpu.exists() else set()
    return ("fp32", "bf16") if flags & {"avx512_bf16", "amx_bf16", "bf16"} else ("fp32",)


def _build_step(
    model: nn.Module, runtime: Runtime, images_NCHW: torch.Tensor, labels_N: torch.Tensor
) -> Callable[[], None]:
    """Build a function that does a forward and a backward pass, and returns when both are done."""
    model.to(runtime.device, memory_format=memory_format(runtime))  # type: ignore[call-overload]
    images_NCHW = images_NCHW.to(runtime.device, memory_format=memory_format(runtime))
    labels_N = labels_N.to(runtime.device)

    def step() -> None:
        with autocast(runtime):
            loss = nn.functional.cross_entropy(model(images_NCHW), labels_N)
        loss.backward()  # type: ignore[no-untyped-call]
        if runtime.device == "cuda":
            torch.cuda.synchronize()

    return step


def _race(steps: Sequence[Callable[[], None]], rounds: int) -> list[float]:
    """Time the steps in turns, so that a busy machine slows all alike; return each one's shortest.

    Args:
        rounds: The most rounds, but at least two are run: the first is not counted.
    """
    for step in steps:
        step()
    best = [_seconds(step) for step in steps]
    until = time.perf_counter() + PROBE_SECONDS
    for _ in range(2, rounds):
        if time.perf_counter() >= until:
            break
        for i, step in enumerate(steps):
            if best[i] <= HOPELESS * min(best):
                best[i] = min(best[i], _seconds(step))
    return best


def _seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
