"""Check whether a row comes out again: retrain its configuration on the same data, seed by seed."""

import json
import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.config import Runtime
from trainables.config.trial import reduced_size
from trainables.metrics import EpochMetrics
from trainables.storage import LocalStorage, Storage
from trainables.trials.task import Stage, TrialTask
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state import provenance
from tune_jobs.engine.run_state.folder import (
    CHECKPOINTS,
    open_place,
    place_of,
    retraining_name,
    retraining_place,
    run_folder,
)

if TYPE_CHECKING:
    from trainables.worker.settings import TrialSettings
    from tune_jobs.engine.results.row import Row
    from tune_jobs.engine.run_state.info import RunInfo
    from tune_jobs.engine.run_state.resources import Resources

TOLERANCE = 0.01
"""The most by which a seed's test accuracy may differ where numbers need not be equal: GPUs add in
any order (atomics, cuDNN's choice of algorithm), and another version or processor rounds
differently."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduced:
    """Holds what the retraining of one seed has found.

    Attributes:
        recorded, found: The test accuracy in the row, and the one found now.
        is_equal: Whether validation and test accuracy, and every probability that was kept, are
            equal to the bit.
    """

    seed: int
    recorded: float
    found: float
    is_equal: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Says whether a row came out again.

    Attributes:
        must_be_equal: Whether it was the same versions on the same CPU: a difference is a defect.
    """

    seeds: list[Reproduced]
    must_be_equal: bool

    @property
    def agrees(self) -> bool:
        if self.must_be_equal:
            return all(seed.is_equal for seed in self.seeds)
        return all(abs(seed.found - seed.recorded) <= TOLERANCE for seed in self.seeds)

    def __str__(self) -> str:
        if all(seed.is_equal for seed in self.seeds):
            return "agrees to the bit"
        rule = "must be equal to the bit" if self.must_be_equal else f"within {TOLERANCE}"
        return f"{'agrees' if self.agrees else 'differs'} ({rule})"


def find_row(name: str, storage: str | Path) -> "Row":
    """Find the row `RUN_ID:TRIAL`, or the only one whose name begins with `name`.

    Raises:
        RequestError: There is no such row, or more than one, or it is an ensemble's.
    """
    from tune_jobs.engine.results.leaderboard import read_rows

    rows = {row.name: row for row in read_rows(storage).rows}
    # Whole names come first, since that of trial 1 also begins those of trials 10 to 19. `name` may
    # leave out the job.
    fits = [r for n, r in rows.items() if name in (n, n.partition("/")[2])]
    fits = fits or [
        r
        for n, r in rows.items()
        if not r.ensemble and (n.startswith(name) or n.partition("/")[2].startswith(name))
    ]
    if len(fits) == 1 and fits[0].ensemble:
        trials = sorted({member.trial_number for member in fits[0].members})
        raise RequestError(
            f"{name!r}: an ensemble is not trained itself: reproduce the rows of its members: "
            + ", ".join(f"{fits[0].run_id}:{number}" for number in trials)
        )
    if len(fits) == 1:
        return fits[0]
    listed = "\n".join(f"  {n}" for n, r in rows.items() if not fits or r in fits)
    raise RequestError(
        f"{name!r}: {'several rows begin so' if fits else 'no row begins so'} "
        f"below {storage}; give RUN_ID:TRIAL of one of\n{listed or '  (none)'}"
    )


def reproduce(row: "Row", storage: str | Path) -> Verdict:
    """Retrain every seed of `row` in a temporary folder and compare.

    Raises:
        RequestError: The run's folder, its data or its device is missing here.
    """
    from tune_jobs.engine.cluster.start import ray_cluster

    before = place_of(open_place(storage), row.job, row.run_id)
    with run_folder(before) as folder:
        info = folder.read_info()
    if info is None or not row.seeds:
        raise RequestError(f"{before.uri}: the folder of that row's run is needed: it says how")
    with (
        ray_cluster(info.options.address, verbose=info.options.verbose),
        tempfile.TemporaryDirectory(prefix="reproduce-") as scratch,
    ):
        again = LocalStorage(Path(scratch))
        found = _retrain(row, row.seeds, info, again)
        recorded = zip(
            row.seeds, row.val_accuracy_per_seed, row.test_accuracy_per_seed, strict=True
        )
        seeds = [
            Reproduced(
                seed=seed,
                recorded=test or 0.0,
                found=test_now,
                is_equal=(val_now, test_now) == (val, test)
                and _same_predictions(before, again, row.trial_number, seed),
            )
            for (val_now, test_now), (seed, val, test) in zip(found, recorded, strict=True)
        ]
    return Verdict(seeds=seeds, must_be_equal=_must_be_equal(row, info))


def _retrain(
    row: "Row", seeds: tuple[int, ...], info: "RunInfo", again: Storage
) -> list[tuple[float, float]]:
    """Retrain the seeds with the resources that the run gave a trial; return each one's
    (validation accuracy, test accuracy)."""
    import ray

    from trainables.worker.run_task import retrain_once

    runtime = _check_runtime(row, info)
    settings, resources = _settings(row, info, again)
    pending: dict[Any, Any] = {}
    for seed in seeds:
        task = TrialTask(
            stage=Stage.RETRAIN,
            number=row.trial_number,
            name=retraining_name(row.trial_number, seed),
            seed=seed,
            config=json.loads(row.config),
            runtime=runtime,
        )
        # One group per seed, as Ray Tune has one per trial: those that have no room yet wait.
        group = ray.util.placement_group(resources.bundles())
        call = _first_in(group, ray.remote(retrain_once))
        pending[call.remote(task, settings)] = group
    calls = list(pending)
    while pending:
        [done], _ = ray.wait(list(pending), num_returns=1)
        ray.util.remove_placement_group(pending.pop(done))  # gives its room to the next seed
    metrics: list[EpochMetrics] = ray.get(calls)
    return [(m.val_accuracy, m.test.accuracy if m.test else math.nan) for m in metrics]


def _check_runtime(row: "Row", info: "RunInfo") -> Runtime:
    import ray

    runtime = info.runtime_of(row.architecture)
    if runtime.device == "cuda" and not ray.cluster_resources().get("GPU"):
        raise RequestError(f"the row was trained on {row.device}, and there is no GPU here")
    return runtime


def _settings(row: "Row", info: "RunInfo", again: Storage) -> "tuple[TrialSettings, Resources]":
    """Load the data anew and share it; return a trial's settings and its resources.

    Raises:
        RequestError: The data has changed since that run, or cannot be read.
    """
    from trainables.worker.settings import TrialSettings
    from tune_jobs.engine.cluster.share import resources_of, share_inputs
    from tune_jobs.engine.prepare import load_data
    from tune_jobs.engine.stages.architectures import load_pretrained_weights

    options = info.options
    data = load_data(options)
    now = data.fingerprint, data.split_fingerprint
    if now != (row.dataset_fingerprint, row.split_fingerprint):
        raise RequestError(f"--dataset = {options.dataset!r}: it has changed since that run")
    config = json.loads(row.config)
    pretrained = None
    if row.weights != "scratch":
        of = info.backbone or info.architecture
        pretrained = load_pretrained_weights(options.weights, of, info.features)
    resources = resources_of(options)
    size = reduced_size(config, data.image_size)
    reduced = {size: load_data(replace(options, image_size=size))} if size else {}
    settings = TrialSettings(
        inputs=share_inputs(info.features, data, reduced, pretrained, options, resources, print),
        rungs=(),
        checkpoints=again.child(CHECKPOINTS),
        timeout_seconds=options.trial_timeout,
        workers=resources.workers,
        gpus=resources.gpus,
    )
    return settings, resources


def _first_in(group: Any, task: Any) -> Any:
    """Put `task` into bundle 0 of a placement group, as Ray Tune puts a trial's own process.

    `trainables.worker.ddp_workers` starts the peers in the bundles after it, of the group that it
    finds itself in.
    """
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    wanted, *_ = group.bundle_specs
    place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=0)
    return task.options(num_cpus=wanted["CPU"], num_gpus=wanted["GPU"], scheduling_strategy=place)


def _same_predictions(before: Storage, now: Storage, trial_number: int, seed: int) -> bool:
    """Return whether both kept the same probabilities; a run that kept none does not contradict."""
    from trainables.trials.predictions import read_predictions

    recorded = read_predictions(retraining_place(before, trial_number, seed))
    found = read_predictions(retraining_place(now, trial_number, seed))
    if recorded is None or found is None:
        return recorded is None
    return bool(np.array_equal(recorded.probabilities_NK, found.probabilities_NK))


def _must_be_equal(row: "Row", info: "RunInfo") -> bool:
    return bool(
        info.runtime
        and info.runtime.device == "cpu"
        and json.loads(row.versions) == provenance.versions()
        and info.hardware
        and info.hardware.cpu == provenance.hardware().cpu
    )
