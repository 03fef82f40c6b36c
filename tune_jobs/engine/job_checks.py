"""Check a job whole, against its space and the rules of its architectures, before Ray starts."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from searchspaces.joined import JoinedSpace, joined_names, plain_name
from trainables.config import ConfigError, Configuration, number_entries
from trainables.config.validation import nearest, to_json
from trainables.registry import check_config, default_of, is_estimator, recipe_of
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.job import Job, Published
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.space import (
    SpaceSample,
    architectures_of,
    name_of,
    sample_space,
)
from tune_jobs.engine.stages.first import FirstConfiguration, first_configurations, fit
from tune_jobs.engine.stages.plan import CheckedJob


def check_job(
    job: Job, epochs: int, earlier: RunInfo | None, given: Mapping[str, str] | None = None
) -> CheckedJob:
    """Check a job: its names, its published entries, and what its space proposes.

    The architectures are imported here, and torch with them.

    Args:
        epochs: A trial's full budget.
        earlier: The information that an earlier session of the run has left. Such a run goes on:
            what is wrong with what it began with is a note.
        given: What the options give to configurations that do not say, by its name there.

    Raises:
        RequestError: Something is wrong; each problem names the key, the value and the rule.
    """
    sample = sample_space(job.space)
    names = architectures_of(job, sample)
    defaults: dict[str, Configuration] = {name: _default_of(name, epochs) for name in names}
    if not job.published:  # a report that says nothing of averaged weights, say, had none
        defaults = {name: recipe_of(default) for name, default in defaults.items()}
    unable = [*_lay_over(defaults, given)] if given else []
    defaults |= earlier.default_configs if earlier else {}
    problems = [*_wrong_names(job, sample, defaults)]
    if problems and earlier is None:  # a name that nothing has breaks the rules below too
        raise RequestError("\n".join(problems))
    proposals = [p.configuration(job.architecture, defaults) for p in sample.proposals]
    problems += _problems_of_proposals(job, proposals)
    notes = [*unable, *_failures(job, sample)]
    began_with = to_json(earlier.published) if earlier else []
    for first in first_configurations(job, defaults):
        wrong, remarks = check_first(first, job, defaults)
        if wrong and to_json(first.published) not in began_with:
            raise RequestError("\n".join([*problems, *wrong]))
        problems += wrong
        notes += remarks
    if problems and earlier is None:
        raise RequestError("\n".join(problems))
    return CheckedJob(
        distributions=sample.distributions,
        proposals=tuple(proposals),
        defaults=defaults,
        notes=(*notes, *problems),
    )


def check_declaration(job: Job) -> None:
    """Check what a job says by itself: its name, the architectures that it names beside a joined
    space, and the claims of its published entries.

    Raises:
        RequestError: Every problem at once.
    """
    problems = []
    if not (isinstance(job.name, str) and re.fullmatch(r"\w([\w .-]*[\w-])?", job.name)):
        problems.append(
            f"name = {job.name!r}: a job's name must be letters, digits, ' ', '.', '_' and '-', "
            "beginning with a letter or digit, since it names a folder"
        )
    problems += _joined_problems(job)
    for published in job.published:
        problems += [f"published {published.name!r}: {p}" for p in _claim_problems(published)]
    if problems:
        raise RequestError("\n".join(problems))


def _joined_problems(job: Job) -> Iterator[str]:
    """Yield the names of architectures that a job gives and its joined space does not have."""
    if not isinstance(job.space, JoinedSpace):
        return
    known = list(job.space.spaces)
    given = {"architecture": [job.architecture], "max_image_sizes": job.space.max_image_sizes}
    given["backbone"] = [job.backbone] if job.backbone else []
    for where, names in given.items():
        for name in names:
            if name not in known:
                yield (
                    f"{where} = {name!r}: must be one of the joined space's: "
                    f"{', '.join(known) or 'it has none'}{nearest(name, known)}"
                )


def _claim_problems(published: Published) -> Iterator[str]:
    name, config, accuracy = _untyped(published)
    if not (isinstance(name, str) and name.strip()):
        yield f"name = {name!r}: must be a text: the system's number in the report, '1a'"
    if not isinstance(config, Mapping):
        yield f"config = {config!r}: must be a dict of names and values"
    if accuracy is None:
        return
    if isinstance(accuracy, bool) or not isinstance(accuracy, (int, float)):
        yield f"accuracy = {accuracy!r}: must be a number in [0, 1], or None"
    elif not 0 <= accuracy <= 1:
        percent = f": {accuracy:g} % is {accuracy / 100:g}" if 1 < accuracy <= 100 else ""
        yield f"accuracy = {accuracy!r}: must be a fraction in [0, 1]{percent}"


def _untyped(published: Published) -> tuple[Any, Any, Any]:
    """Return what a job file, which nothing has checked, may give as anything."""
    return published.name, published.config, published.accuracy


def _default_of(name: str, epochs: int) -> dict[str, Any]:
    try:
        return default_of(name, epochs)
    except ConfigError as error:
        raise RequestError(str(error)) from error
    except Exception as error:  # a module of the user's own may raise anything
        raise RequestError(
            f"architecture = {name!r}: its module cannot be imported: {error!r}"
        ) from error


def _lay_over(defaults: dict[str, Configuration], given: Mapping[str, str]) -> Iterator[str]:
    """Lay what options give over the defaults; yield a remark for each that one cannot have."""
    from trainables.estimators import can_weigh_classes

    for name, default in defaults.items():
        unable = given.keys() - default.keys()
        if "class_weights" in given and is_estimator(name) and not can_weigh_classes(name):
            unable = {*unable, "class_weights"}
        defaults[name] = {**default, **{k: v for k, v in given.items() if k not in unable}}
        for key in sorted(unable):
            yield f"--{key.replace('_', '-')}: {name} has no {key}, and is trained without"


def _wrong_names(
    job: Job, sample: SpaceSample, defaults: Mapping[str, Configuration]
) -> Iterator[str]:
    """Yield what is wrong with the names that the space and the published entries use."""
    known = {n for default in defaults.values() for n in (*default, *number_entries(default))}
    space = f"space = {name_of(job.space)}"
    if isinstance(job.space, JoinedSpace):
        known |= {n for default in defaults.values() for n in joined_names(number_entries(default))}
        if any(p.flat["architecture"] != p.params["architecture"] for p in sample.proposals):
            yield (
                f"{space}: 'architecture': each part of a joined space is of the one that it "
                "stands for: leave it out of the parts"
            )
    used = {
        f"{space}: it suggests": sample.distributions.keys(),
        f"{space}: it returns": sample.constants.keys(),
        **{f"published {p.name!r}: its config gives": p.config.keys() for p in job.published},
    }
    for who, names in used.items():
        unknown = sorted(names - known, key=str)
        if unknown:
            said = ", ".join(f"{name!r}{nearest(str(name), sorted(known))}" for name in unknown)
            yield f"{who} what {' or '.join(defaults)} does not have: {said}"
        if "epochs" in map(plain_name, names):
            yield (
                f"{who} 'epochs': all trials have the job's `epochs`, or --epochs, and weak ones "
                "are stopped early: leave it out"
            )
    systems = [published.name for published in job.published]
    for system in dict.fromkeys(systems):
        if systems.count(system) > 1:
            yield (
                f"published {system!r}: name: must be that of one entry alone, since rows of the "
                "leaderboard are known by it"
            )


def _problems_of_proposals(job: Job, proposals: Sequence[Configuration]) -> list[str]:
    """Return, for each name that breaks a rule in the samples, its first value and the count."""
    found: dict[str, list[str]] = {}
    for proposal in proposals:
        for problem in (*_rules_broken(proposal), *_features_lacking(job, proposal)):
            found.setdefault(problem.partition(" = ")[0], []).append(problem)
    return [
        f"space = {name_of(job.space)}: it gives {problems[0]} ({len(problems)} of "
        f"{len(proposals)} samples break this rule)"
        for problems in found.values()
    ]


def _rules_broken(config: Configuration) -> list[str]:
    """Return a line for each rule that a complete configuration breaks as a worker will see it."""
    with suppress(TypeError):  # a type that JSON lacks is no field's type either: named below
        config = json.loads(json.dumps(to_json(config)))
    try:
        check_config(config)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def _features_lacking(job: Job, config: Configuration) -> list[str]:
    name = config["architecture"]
    if job.features or config.get("features") or not is_estimator(name):
        return []
    return [
        f"architecture = {name!r}: an estimator needs features: give the Job features=Pixels(), or "
        "have its space return {'features': 'pixels'}, for instance"
    ]


def _failures(job: Job, sample: SpaceSample) -> Iterator[str]:
    if sample.failures:
        yield (
            f"space = {name_of(job.space)}: it fails for {len(sample.failures)} of "
            f"{sample.num_samples} samples, and so will such trials: {sample.failures[0]}"
        )


def check_first(
    first: FirstConfiguration, job: Job, defaults: Mapping[str, Configuration]
) -> tuple[list[str], list[str]]:
    """Fit a first configuration into the job's space; return what is wrong, and remarks.

    What a report gives must be trained as it is. Else the search begins at the nearest
    configuration that the space holds, with a remark.

    Raises:
        RequestError: The space cannot be run on this configuration.
    """
    who = "the default"
    if first.published:
        who = f"published {first.published.name!r}"
    elif first.source:
        who = "--fork: a" if first.source == "fork" else "--warm-start: a"
    try:
        fitted = fit(first, job.space, job.architecture, defaults)
    except RequestError as error:
        raise RequestError(f"{who}: {error}") from error
    problems, notes = _features_lacking(job, fitted.config), []
    if first.published:  # else it is a point of the space, whose samples are held against the rules
        problems += _rules_broken(fitted.config)
    problems = [f"{who}: {problem}" for problem in problems]
    for misfit in fitted.misfits:
        if first.published and _gives(first.published, misfit.name):
            problems.append(
                f"{who}: {misfit}: widen the space, which must suggest or return every value of "
                "a report, or correct the entry"
            )
        elif misfit.held or first.source:
            notes.append(f"{who} configuration is tried first, but {misfit}")
    return problems, notes


def _gives(published: Published, name: str) -> bool:
    """Return whether a report gives this value, whole or by numbered entries."""
    return any(given == name or given.rpartition("_")[0] == name for given in published.config)
