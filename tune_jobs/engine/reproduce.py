"""Does a row come out again? Its configuration retrained, on the same data, seed by seed."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.features import build_features
from trainables.storage import LocalStorage, Storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.run import provenance
from tune_jobs.engine.run.folder import (
    CHECKPOINTS,
    open_place,
    place_of,
    retraining_name,
    retraining_place,
    run_folder,
)

if TYPE_CHECKING:
    from tune_jobs.engine.results.row import Row

TOLERANCE = 0.01
"""Of a seed's test accuracy, where numbers may differ: GPUs add in any order (atomics, cuDNN's
choice of algorithm), and another version or processor rounds differently."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduced:
    """One seed, retrained.

    Attributes:
        is_equal: Validation and test accuracy, and every probability that was kept, to the bit.
    """

    seed: int
    recorded: float
    found: float
    is_equal: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`must_be_equal`: the same versions on the same CPU, where a difference is a defect."""

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
    """The row `RUN_ID:TRIAL`, or the only one whose name so begins.

    Raises:
        RequestError: There is none, or more than one.
    """
    from tune_jobs.engine.results.leaderboard import read_rows

    rows = {f"{row.job}/{row.run_id}:{row.trial_number}": row for row in read_rows(storage).rows}
    fits = [r for n, r in rows.items() if name in (n, n.partition("/")[2])]
    fits = fits or [
        r for n, r in rows.items() if n.startswith(name) or n.partition("/")[2].startswith(name)
    ]
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
        RequestError: The run's folder, its data or its device is not there.
    """
    from tune_jobs.engine.cluster.start import ray_cluster

    before = place_of(open_place(storage), row.job, row.run_id)
    with run_folder(before) as folder:
        facts = folder.read_facts()
    if facts is None or not row.seeds:
        raise RequestError(f"{before.uri}: the folder of that row's run is needed: it says how")
    options = Options.from_json(facts["options"])
    with (
        ray_cluster(options.address, verbose=options.verbose),
        tempfile.TemporaryDirectory(prefix="reproduce-") as scratch,
    ):
        again = LocalStorage(Path(scratch))
        found = _retrain(row, row.seeds, facts, options, again)
        recorded = zip(
            row.seeds, row.val_accuracy_per_seed, row.test_accuracy_per_seed, strict=True
        )
        seeds = [
            Reproduced(
                seed=seed,
                recorded=test or 0.0,
                found=figures["test_accuracy"],
                is_equal=(figures["val_accuracy"], figures["test_accuracy"]) == (val, test)
                and _same_predictions(before, again, row.trial_number, seed),
            )
            for figures, (seed, val, test) in zip(found, recorded, strict=True)
        ]
    return Verdict(seeds=seeds, must_be_equal=_must_be_equal(row, facts))


def _retrain(
    row: "Row", seeds: tuple[int, ...], facts: dict[str, Any], options: Options, again: Storage
) -> list[dict[str, Any]]:
    """The last epoch's figures of each seed, with the resources that the run gave a trial."""
    import ray

    from trainables.worker.trainable import TrialSettings, retrain_once
    from tune_jobs.engine.cluster.share import share_data
    from tune_jobs.engine.prepare import load_data, load_pretrained_weights

    data = load_data(options)
    now = data.fingerprint, data.split_fingerprint
    if now != (row.dataset_fingerprint, row.split_fingerprint):
        raise RequestError(f"--dataset = {options.dataset!r}: it has changed since that run")
    spec = build_features(facts["features"]) if facts["features"] else None
    pretrained = load_pretrained_weights(options.weights, facts["architecture"], spec)
    if facts["runtime"]["device"] == "cuda" and not ray.cluster_resources().get("GPU"):
        raise RequestError(f"the row was trained on {row.device}, and there is no GPU here")
    shared = share_data(spec, data, pretrained, options, print)
    settings = TrialSettings(
        data=shared.data,
        features=shared.features,
        pretrained=shared.pretrained,
        rungs=(),
        place=again.child(CHECKPOINTS),
        timeout_seconds=options.trial_timeout,
        workers=shared.resources.workers,
        gpus=shared.resources.gpus,
    )
    pending: dict[Any, Any] = {}
    for seed in seeds:
        group = ray.util.placement_group(shared.resources.bundles())
        task = _first_in(group, ray.remote(retrain_once))
        name = retraining_name(row.trial_number, seed)
        config = {
            "task": "retrain",
            "name": name,
            "seed": seed,
            "runtime": facts["runtime"],
            "config": json.loads(row.config),
            "reported": 0,
        }
        pending[task.remote(config, settings)] = group
    tasks = list(pending)
    while pending:
        [done], _ = ray.wait(list(pending), num_returns=1)
        ray.util.remove_placement_group(pending.pop(done))
    figures: list[dict[str, Any]] = ray.get(tasks)
    return figures


def _first_in(group: Any, task: Any) -> Any:
    """`task` as the first worker of a trial that has this placement group."""
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    wanted, *_ = group.bundle_specs
    place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=0)
    return task.options(num_cpus=wanted["CPU"], num_gpus=wanted["GPU"], scheduling_strategy=place)


def _same_predictions(before: Storage, now: Storage, trial_number: int, seed: int) -> bool:
    from trainables.trials.predictions import read_predictions

    recorded = read_predictions(retraining_place(before, trial_number, seed))
    found = read_predictions(retraining_place(now, trial_number, seed))
    if recorded is None or found is None:
        return recorded is None
    return bool(np.array_equal(recorded.probabilities_NK, found.probabilities_NK))


def _must_be_equal(row: "Row", facts: dict[str, Any]) -> bool:
    return bool(
        facts["runtime"]["device"] == "cpu"
        and json.loads(row.versions) == provenance.versions()
        and facts.get("hardware", {}).get("cpu") == provenance.hardware()["cpu"]
    )
