"""Decide which of a job's architectures a run tries, and what their joined space suggests."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from searchspaces.joined import JoinedSpace
from trainables.config import ConfigError, Configuration
from trainables.config.features import NAMED, Features, Frozen
from trainables.config.validation import nearest
from trainables.datasets.image_data import Integers
from trainables.datasets.notes import UNEQUAL
from trainables.registry import is_estimator
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job
from tune_jobs.engine.stages.plan import RunRequest

if TYPE_CHECKING:
    from trainables.training.pretrained import Pretrained


def choose_architectures(job: Job, asked: str | None) -> Job:
    """Return the job with those of its architectures alone that `--architectures` names.

    Raises:
        RequestError: It has no such architecture.
    """
    if asked is None:
        return job
    named = [name.strip() for name in asked.split(",")]
    known = job.architectures
    for name in named:
        if name not in known:
            raise RequestError(
                f"--architectures = {asked!r}: {name!r} is no architecture of this job: name some "
                f"of {', '.join(known)}, with a comma between them{nearest(name, list(known))}"
            )
    return _choosing(job, named)


def without(job: Job, left_out: Collection[str]) -> Job:
    """Return the job without some of its architectures."""
    return _choosing(job, [name for name in job.architectures if name not in left_out])


def _choosing(job: Job, named: Collection[str]) -> Job:
    if not isinstance(job.space, JoinedSpace) or set(named) == set(job.architectures):
        return job
    space = job.space.choosing(named)
    return replace(job, space=space, architecture=next(iter(space.spaces)))


def needing_weights(job: Job, proposals: Sequence[Configuration]) -> list[str]:
    """List the architectures of a joined space that are nothing without pretrained weights: the
    backbone itself, and those on frozen features.

    Args:
        proposals: Configurations sampled from the space.
    """
    on_frozen = {
        config["architecture"]
        for config in proposals
        if isinstance(NAMED.get(config.get("features") or ""), Frozen)
    }
    return [name for name in job.architectures if name == job.backbone or name in on_frozen]


def weighing_classes(job: Job, train_labels_N: Integers) -> Job:
    """Return the job with weights of classes in its joined space, where the largest class has
    `UNEQUAL` times the images of the smallest, for those of its architectures that can."""
    counts_K = np.bincount(train_labels_N)
    if not isinstance(job.space, JoinedSpace) or counts_K.max() < UNEQUAL * counts_K.min():
        return job
    from trainables.estimators import can_weigh_classes

    able = [n for n in job.architectures if not is_estimator(n) or can_weigh_classes(n)]
    return replace(job, space=replace(job.space, weighing=tuple(able)))


def load_weights(request: RunRequest) -> "tuple[Pretrained | None, dict[str, str]]":
    """Load the weights that `--weights` names, and say which architectures of a joined space are
    left out for lack of them, and why.

    A run that has left some out goes on without them.

    Raises:
        RequestError: They cannot be used; or they are missing, and the options name an architecture
            that needs them, or nothing else is left.
    """
    job, options, earlier = request.job, request.options, request.earlier
    if job.backbone is None:
        plain = None if isinstance(job.features, Frozen) else job.features
        if plain and options.weights != "scratch" and earlier is None:
            raise RequestError(
                f"--weights = {options.weights!r}: the trials of {job.name} train on features "
                f"({plain.kind}), and none starts from weights: leave it out"
            )
        return load_pretrained_weights(options.weights, job.architecture, job.features), {}
    needing = needing_weights(job, request.checked.proposals)
    is_named = options.weights not in ("scratch", "imagenet")  # a file: it is there, or mistaken
    if not needing and is_named:
        raise RequestError(
            f"--weights = {options.weights!r}: they are of {job.backbone}, and none of "
            f"{', '.join(job.architectures)} starts from them: leave it out, or name one that does "
            "in --architectures"
        )
    if not needing:
        return None, {}
    if earlier and earlier.left_out and not is_named:
        return None, dict(earlier.left_out)
    try:
        pretrained = load_pretrained_weights(options.weights, job.backbone, None)
        reason = "it needs pretrained weights, and --weights is scratch"
    except RequestError as error:
        pretrained, reason = None, str(error)
        if is_named:
            raise
    if pretrained:
        return pretrained, {}
    if options.architectures or len(needing) == len(job.architectures):
        raise RequestError(f"{', '.join(needing)}: {reason}")
    return None, dict.fromkeys(needing, reason)


def load_pretrained_weights(
    weights: str, architecture: str, features: Features | None
) -> "Pretrained | None":
    """Load the weights that `--weights` names, downloaded when missing; return `None` for none.

    torch, whose import takes seconds, is imported here only where there are weights to load.
    """
    if weights == "scratch":
        return None
    from trainables.training.pretrained import load_pretrained

    network = features.architecture if isinstance(features, Frozen) else architecture
    try:
        return load_pretrained(weights, network)
    except ConfigError as error:
        raise RequestError(str(error)) from error
