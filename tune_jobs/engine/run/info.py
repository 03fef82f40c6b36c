"""The facts of a run that its `run.json` and its leaderboard rows repeat."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trainables.datasets import ImageData
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.run import provenance

if TYPE_CHECKING:
    from trainables.datasets.duplicates import Duplicates

MUST_MATCH = (
    "dataset_fingerprint",
    "split_fingerprint",
    "architecture",
    "space",
    "suggests",
    "epochs",
    "features",
    "weights",
)
"""What a resumed run must share with its earlier sessions: else its trials do not compare."""


def known_facts(
    job: Job,
    options: Options,
    data: ImageData,
    weights_digest: str | None,
    distributions: Mapping[str, Any],
    duplicates: "Duplicates | None" = None,
) -> dict[str, Any]:
    """All that is known before Ray starts."""
    return {
        "run_id": options.run_id,
        "job": job.name,
        "dataset": data.source,
        "data": describe(data),
        "notes": [*data.notes, *describe_duplicates(duplicates)],
        "dataset_fingerprint": data.fingerprint,
        "split_fingerprint": data.split_fingerprint,
        "architecture": job.architecture,
        "space": f"{job.space.__module__}.{job.space.__qualname__}",
        "suggests": {name: str(distributions[name]) for name in sorted(distributions)},
        "epochs": options.epochs,
        "features": asdict(job.features) if job.features else None,
        "weights": options.weights + (f" sha256:{weights_digest}" if weights_digest else ""),
        "options": options.as_json(),
        "published": [asdict(published) for published in job.published],
        "duplicates": None if duplicates is None else asdict(duplicates),
        "git_commit": provenance.git_commit(),
        "git_clean": provenance.git_is_clean(),
        "hardware": provenance.hardware(),
        "versions": provenance.versions(),
        "command": provenance.command(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe(data: ImageData) -> str:
    """`digits: 1797 images of 8x8x1 in 10 classes; 1150 train, 288 validation, 359 test`."""
    height, width = data.image_size
    return (
        f"{data.source}: {len(data.labels_N)} images of {height}x{width}x{data.num_channels} in "
        f"{data.num_classes} classes; {len(data.train_indices)} train, "
        f"{len(data.validation_indices)} validation, {len(data.test_indices)} test"
    )


def describe_duplicates(duplicates: "Duplicates | None") -> list[str]:
    """What the user should know of images that train and test share."""
    if duplicates is None:
        return []
    notes = {
        "test images are training images, pixel by pixel": duplicates.exact_train_test,
        "test images look like a training image (by a hash: a hint)": duplicates.near_train_test,
    }
    return [f"{count} {note}" for note, count in notes.items() if count]


def take_over(facts: dict[str, Any], earlier: dict[str, Any] | None) -> dict[str, Any]:
    """`facts`, with what an earlier session of the run has found out.

    Raises:
        RequestError: The run began as another one; the message lists the differences.
    """
    if earlier is None:
        return facts
    differences = [
        f"  {key}: was {was!r}, is {now!r}"
        for name in MUST_MATCH
        if name in earlier  # an earlier version may not have recorded it
        for key, was, now in _pairs(name, earlier[name], facts[name])
        if was != now
    ]
    if differences:
        raise RequestError(
            f"--run-id = {facts['run_id']!r}: that run began differently, and its trials would "
            "not compare with new ones:\n" + "\n".join(differences) + "\nTake another --run-id."
            " (--fork begins a new run with the best configurations of an earlier one)"
        )
    if earlier.get("git_commit") != facts["git_commit"]:
        facts["notes"].append(
            f"an earlier session ran commit {earlier.get('git_commit')}, this one runs "
            f"{facts['git_commit']}: their results compare only if no change between them matters"
        )
    return {**earlier, **facts}


def _pairs(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """What to compare, and what to call it: of two dicts, each key's values."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            yield f"{name}.{key}", was.get(key), now.get(key)
    else:
        yield name, was, now
