"""Read and check what the options ask for, before anything expensive starts."""

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainables.config import Configuration
from trainables.config.trial import reduced_size
from trainables.config.validation import from_json, to_json
from trainables.datasets import DatasetError, ImageData, load_dataset
from trainables.datasets.duplicates import Duplicates, find_duplicates
from trainables.datasets.errors import OVERVIEW, counted, name_first
from trainables.datasets.spec import is_own_data
from trainables.datasets.splits.groups import shared_groups
from trainables.storage import LocalStorage, Storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job_checks import check_first, check_job
from tune_jobs.engine.options import Options
from tune_jobs.engine.results.portfolio import choose_portfolio
from tune_jobs.engine.run_state.info import PortfolioEntry, name_duplicates
from tune_jobs.engine.stages.architectures import weighing_classes, without
from tune_jobs.engine.stages.first import (
    FirstConfiguration,
    adopted_configuration,
    first_configurations,
    first_trained,
    recipes,
    what_is_trained,
)
from tune_jobs.engine.stages.fork import forked_configurations
from tune_jobs.engine.stages.plan import RunRequest

COUNTED = 3
"""The version of what is counted: a file of another one is not read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """Holds what a run begins with that other runs have found.

    Attributes:
        forked: Configurations of the run that `--fork` names.
        portfolio: Rows of the leaderboards that `--warm-start` names.
        notes: Remarks for the user, on values that the job's space does not hold, for instance.
    """

    forked: Sequence[FirstConfiguration]
    portfolio: tuple[PortfolioEntry, ...]
    notes: Sequence[str]


def learn_from_other_runs(request: RunRequest, storage: Storage) -> Learned:
    """Read what `--fork` and `--warm-start` name; a run that has a portfolio keeps it on resume.

    Raises:
        RequestError: There is no such run or leaderboard, or nothing in it that the job can try.
    """
    job, options, defaults = request.job, request.options, request.checked.defaults
    first = first_configurations(job, defaults)
    forked, notes = _fork(request, first, storage) if options.fork else ([], [])
    portfolio = request.earlier.portfolio if request.earlier else ()
    if options.warm_start and not portfolio:
        others = [*first, *recipes(job, defaults), *forked]
        portfolio, remarks = choose_portfolio(options.warm_start, job, defaults, others)
        notes += remarks
    return Learned(forked=forked, portfolio=portfolio, notes=notes)


def _fork(
    request: RunRequest, first: Sequence[FirstConfiguration], storage: Storage
) -> tuple[list[FirstConfiguration], list[str]]:
    """Return the `--retrain-top` best configurations of the run that `--fork` names beside this
    run's own defaults, which it tries anyway, and remarks."""
    job, options, defaults = request.job, request.options, request.checked.defaults
    seen = [what_is_trained(f, job, defaults) for f in first if f.origin == "default"]
    forked: list[FirstConfiguration] = []
    notes = []
    for config in forked_configurations(job, options, storage):
        if len(forked) == options.retrain_top:
            break
        architecture = config.get("architecture", job.architecture)
        if architecture not in defaults:
            notes.append(f"--fork: a configuration of {architecture!r} is left out")
            continue
        found = adopted_configuration(config, "fork", job, defaults)
        problems, remarks = check_first(found, job, defaults)
        if (trained := what_is_trained(found, job, defaults)) not in seen:
            seen.append(trained)
            forked.append(found)
            notes += [*problems, *remarks]
    if not forked:
        notes.append(f"--fork = {options.fork!r}: it has nothing that this run does not try anyway")
    return forked, notes


def load_data(options: Options) -> ImageData:
    """Decode the data set (or read it from the cache), and split it.

    Raises:
        RequestError: The data set cannot be read.
    """
    try:
        return load_dataset(
            options.dataset,
            data_dir=options.data_dir,
            image_size=options.image_size,
            train_size=options.train_size,
            split_seed=options.split_seed,
            folds=options.folds,
        )
    except DatasetError as error:
        raise RequestError(str(error)) from error


def check_metric(data: ImageData, options: Options) -> None:
    """Refuse a metric that a split cannot have.

    Raises:
        RequestError: It is AUROC, and all images of validation or test are of one class.
    """
    if options.metric != "auroc":
        return
    splits = {"validation": data.validation_indices, "test": data.test_indices}
    splits |= {f"fold {number}": fold for number, fold in enumerate(data.folds, start=1)}
    for split, indices in splits.items():
        classes = set(data.labels_N[indices].tolist())
        if len(classes) == 1:
            raise RequestError(
                f"--metric = 'auroc': it compares the classes of a split, but all images of "
                f"{split} are of {data.class_names[classes.pop()]!r}: put images of another class "
                "there, or take another metric"
            )


def fit_to_data(request: RunRequest, data: ImageData, left_out: Collection[str]) -> RunRequest:
    """Fit the request to what is known of its data and weights: without the architectures that are
    left out, and with weights of classes to choose from where classes are unequal."""
    job, options = request.job, request.options
    job = without(job, left_out)
    if options.class_weights == "none":
        job = weighing_classes(job, data.labels_N[data.train_indices])
    if job == request.job:
        return request
    checked = check_job(job, options.epochs, request.earlier, options.for_configurations)
    return replace(request, job=job, checked=checked)


def reduce_images(request: RunRequest, data: ImageData) -> dict[int, ImageData]:
    """Load the data again in the smaller sizes that configurations of the run ask for.

    Each is decoded from the files, as a prediction's images are.
    """
    wanted = {reduced_size(config, data.image_size) for config in _configurations(request)}
    sizes = sorted(size for size in wanted if size is not None)
    return {size: load_data(replace(request.options, image_size=size)) for size in sizes}


def _configurations(request: RunRequest) -> list[Configuration]:
    """List what the space proposes and what is published: all that is trained is of their kinds."""
    checked = request.checked
    return [*checked.proposals, *first_trained(request.job, checked.defaults)]


def check_groups(data: ImageData, options: Options) -> None:
    """Refuse data whose own splits have images of a group in train and in test.

    Raises:
        RequestError: They have, and `--allow-duplicates` is not given.
    """
    trained = data.known_indices if data.folds else data.train_indices
    shared = shared_groups(data, trained, data.test_indices)
    if shared and not options.allow_duplicates:
        raise RequestError(
            f"--dataset = {options.dataset!r}: {counted(len(shared), 'group has', 'groups have')} "
            f"images in train and in test, so that the test accuracy would be too high "
            f"({name_first(shared)}): have each in one of the two, or give --allow-duplicates"
        )


def check_duplicates(data: ImageData, options: Options) -> Duplicates:
    """Count the duplicates between the splits; the counts are cached beside the decoded images.

    Raises:
        RequestError: Test images of the user's own data are training images too, pixel by pixel,
            and `--allow-duplicates` is not given.
    """
    found = count_duplicates(data, options.data_dir)
    stops = is_own_data(options.dataset) and not options.allow_duplicates
    if found.exact_train_test and stops:
        are = "is a training image" if found.exact_train_test == 1 else "are training images"
        raise RequestError(
            f"--dataset = {options.dataset!r}: {found.exact_train_test} of "
            f"{len(data.test_indices)} test images {are}, pixel by pixel, so that "
            f"the test accuracy would be too high ({name_duplicates(found, data)}): "
            "remove them from one of the two, or give --allow-duplicates"
        )
    return found


def count_duplicates(data: ImageData, data_dir: Path) -> Duplicates:
    """Count the duplicates between the splits, or read what an earlier start counted.

    Raises:
        RequestError: What is kept in `data_dir` cannot be read or written.
    """
    folder = data_dir / "duplicates"
    key = f"{data.fingerprint[:32]}-{data.split_fingerprint[:32]}-{COUNTED}"
    file = folder / f"{key}.json"
    try:
        if file.is_file():
            found = from_json(Duplicates, json.loads(file.read_text()))
            lists = found.train_test_list, found.conflict_list
            if all(Path(whole).is_file() for whole in lists if whole):
                return found
    except ValueError as error:
        print(f"warning: {file} is damaged, and made again: {error}", file=sys.stderr)
    except OSError as error:
        raise _no_access(file, "read", error) from error
    try:
        if data.folds:  # all that is not for test is trained on, in one fold or the other
            data = replace(
                data, train_indices=data.known_indices, validation_indices=data.folds[0][:0]
            )
        found = find_duplicates(data, data_dir / OVERVIEW)
        LocalStorage(folder).write(file.name, json.dumps(to_json(found)).encode())
    except OSError as error:
        raise _no_access(file, "written", error) from error
    return found


def _no_access(file: Path, verb: str, error: OSError) -> RequestError:
    return RequestError(
        f"--data-dir: {file} cannot be {verb} ({error.strerror}): give a folder of yours, with room"
    )
