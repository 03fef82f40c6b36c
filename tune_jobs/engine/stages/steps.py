"""Probe, search, retrain: one source of trials for one Ray Tune run.

Worker processes are reused from the first probe to the last retraining; starting one costs
seconds. Retrainings that are certain begin while the search's last trials still run.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.storages import BaseStorage
from ray import tune

from trainables.config import Runtime, number_entries
from trainables.worker.trainable import TrialSettings, train_trial
from tune_jobs.engine.cluster.share import Shared
from tune_jobs.engine.errors import RequestError, RunError
from tune_jobs.engine.job import Job
from tune_jobs.engine.options import Options
from tune_jobs.engine.ray_tune.tuner import run_trials
from tune_jobs.engine.run.folder import RunFolder
from tune_jobs.engine.search.early_stopping import build_rule
from tune_jobs.engine.search.record import AnyTrial, Listener, Record
from tune_jobs.engine.search.space import architectures_of
from tune_jobs.engine.stages.retrain import Retraining, pair_name
from tune_jobs.engine.stages.search import Search, SearchPlan


class Steps:
    """A `TrialSource` over a run's steps.

    Args:
        studies: Holds the record.
        facts: What `run.json` holds so far. The probe's findings are added to it: `runtime` and
            `default_configs`, by architecture. A resumed run has them already, and does not probe.
        distributions: Of the space. Where it suggests the architecture, its choices are tried.
        forked: Configurations of another run, tried after the published (or default) ones.
    """

    def __init__(
        self,
        job: Job,
        options: Options,
        folder: RunFolder,
        studies: BaseStorage,
        facts: dict[str, Any],
        distributions: Mapping[str, Any],
        forked: Sequence[Mapping[str, Any]],
        listeners: Sequence[Listener],
    ) -> None:
        self.facts = facts
        self.error: RequestError | None = None
        self._job = job
        self._options = options
        self._folder = folder
        self._listeners = listeners
        self._forked = forked
        self._architectures = architectures_of(job, distributions)
        self.rule = build_rule(
            options.scheduler,
            grace_period=options.first_rung,
            eta=options.reduction_factor,
            brackets=options.brackets,
            epochs=options.epochs,
        )
        self._sources: dict[str, Search | Retraining] = {}
        self._studies = studies
        self._probe_runs = False
        if "runtime" in facts:
            self._begin()

    @property
    def search(self) -> Search:
        source = self._sources["search"]
        assert isinstance(source, Search)
        return source

    @property
    def retraining(self) -> Retraining:
        source = self._sources["retrain"]
        assert isinstance(source, Retraining)
        return source

    @property
    def runtime(self) -> Runtime:
        return Runtime(**self.facts["runtime"])

    @property
    def finished(self) -> bool:
        return self.error is not None or (bool(self._sources) and self.retraining.finished)

    def next_trial(self) -> dict[str, Any] | None:
        if self._sources:
            trial = self.search.next_trial() or self.retraining.next_trial()
            return trial and {**trial, "runtime": self.facts["runtime"]}
        if self._probe_runs or self.error:
            return None
        self._probe_runs = True
        first = self._job.published[0].config if self._job.published else {}
        return {
            "task": "probe",
            "name": "probe",
            "architectures": self._architectures,
            "epochs": self._options.epochs,
            "config": {"architecture": self._job.architecture, **first},
            "precision": self._options.precision,
        }

    def on_start(self, trial: Mapping[str, Any]) -> None:
        if trial["task"] != "probe":
            for listener in self._listeners:
                listener.training(trial["name"], trial["reported"])

    def on_report(self, trial: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
        if trial["task"] != "probe" and "error" in figures:
            self.on_failure(trial, figures["error"])
            return False
        if trial["task"] != "probe":
            goes_on = self._sources[trial["task"]].on_report(trial["number"], figures)
            if not goes_on:
                self._folder.drop_checkpoints(trial["name"])
            return goes_on
        if "error" in figures:
            self.error = RequestError(figures["error"])
        else:
            self.facts |= json.loads(figures["found"])
            self._folder.write_facts(self.facts)
            self._begin()
        return False

    def on_attempt_failed(self, trial: Mapping[str, Any], cause: str) -> None:
        if "StorageError" in cause:  # no trial's fault: none of them could go on
            raise RunError(
                f"--storage = {self._options.storage!r}: a worker could not write: {cause}: "
                "mend it (make room, say), then resume; what has been recorded is whole"
            )

    def on_failure(self, trial: Mapping[str, Any], cause: str) -> None:
        if trial["task"] == "probe":
            self.error = RequestError(f"the workers cannot train {self._job.architecture}: {cause}")
        else:
            cause = self._folder.read_hang(trial["name"]) or cause
            self._sources[trial["task"]].on_failure(trial["number"], cause)
            self._folder.drop_checkpoints(trial["name"])

    def _begin(self) -> None:
        job, options = self._job, self._options
        first = first_configurations(job, self.facts["default_configs"])[: options.first_trials]
        first += [(number_entries(config), "search") for config in self._forked]
        plan = SearchPlan(
            space=job.space,
            architecture=job.architecture,
            first=first,
            trials=max(options.trials, len(first)),
            epochs=options.epochs,
            sampler=options.sampler,
            seed=options.seed,
            time_budget=options.time_budget,
        )
        searched, retrained = self._open("", _trial_name), self._open("/retrain", pair_name)
        for listener in self._listeners:  # before the records tell them of anything
            listener.begin(plan.trials, self.rule, searched.ended() + retrained.ended())
        search = Search(plan, searched, self.rule)
        retraining = Retraining(
            search, retrained, top=options.retrain_top, seeds=options.retraining_seeds
        )
        self._sources = {"search": search, "retrain": retraining}
        self._folder.drop_checkpoints_but(search.record.running | retraining.record.running)

    def _open(self, suffix: str, name_of: Any) -> Record:
        name = f"{self._job.name}/{self._options.run_id}{suffix}"
        return Record.open(self._studies, name, name_of, self._listeners)


def run_steps(steps: Steps, options: Options, shared: Shared, folder: RunFolder) -> None:
    """Run the steps to their end on the cluster.

    Raises:
        RequestError: A worker found that the job cannot be built.
    """
    settings = TrialSettings(
        data=shared.data,
        features=shared.features,
        pretrained=shared.pretrained,
        rungs=tuple(steps.rule.rungs()),
        place=folder.checkpoints,
        timeout_seconds=options.trial_timeout,
        workers=shared.resources.workers,
        gpus=shared.resources.gpus,
    )
    trainable = tune.with_parameters(train_trial, settings=settings)
    run_trials(steps, trainable, shared.resources, max_failures=options.max_failures)
    if steps.error:
        raise steps.error


def first_configurations(
    job: Job, defaults: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], str]]:
    """The published configurations, completed by the defaults of their architectures; without any,
    the defaults of the job's own."""
    if not job.published:
        return [(number_entries(defaults[job.architecture]), "default")]
    return [
        (
            number_entries(
                {**defaults[p.config.get("architecture", job.architecture)], **p.config}
            ),
            "published",
        )
        for p in job.published
    ]


def _trial_name(trial: AnyTrial) -> str:
    return f"trial-{trial.number:04d}"
