"""Show a run while it runs: a live view in a terminal, plain lines elsewhere."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

from optuna.trial import TrialState
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trainables.datasets.errors import name_first
from trainables.metrics import METRICS, EpochMetrics
from tune_jobs.engine.record.listener import Ended, Listener, Past
from tune_jobs.engine.results.analysis.tally import Tally
from tune_jobs.engine.run_state.info import RunInfo
from tune_jobs.engine.search.early_stopping import Never, StoppingRule

WAITING = "starting Ray and measuring how a trial trains fastest here"

SHOWN_TRIALS = 8
"""The number of running trials that the live view has room for."""


class Progress(Listener):
    """Shows the trials done, running, stopped and failed, the best one, the rungs and the time.

    A trial's name begins with its stage: `trial-0007`, `retrain-0007-seed-1`.
    """

    def __init__(self, info: RunInfo, console: Console | None) -> None:
        self._console = console or Console()
        self._info = info
        self._stages: dict[str, StageView] = {}
        self._doing = WAITING
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._print(f"{self._info.job}: run {self._info.run_id}")
        self._print(self._info.data)
        if self._info.class_names:
            self._print(f"classes: {name_first(self._info.class_names)}")
        for note in self._info.notes:
            self._print(f"note: {note}")
        if self._console.is_terminal:
            self._live.start()
        else:
            self._print(WAITING)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        for stage in self._stages.values():
            self._print(stage.line())

    def begin(self, num_trials: int | None, rule: StoppingRule, earlier: Sequence[Ended]) -> None:
        self._stages = {
            "trial": StageView("search", self._info, num_trials, rule),
            "retrain": StageView("retrain", self._info, None, Never()),
        }
        for ended in earlier:
            self._stage(ended.name).remember(ended)

    def started(self, name: str, config: Mapping[str, Any], past: Past) -> None:
        self._stage(name).start(name, config.get("epochs", self._info.epochs), past)

    def training(self, name: str, epochs_done: int) -> None:
        self._stage(name).train(name, epochs_done)

    def reported(self, name: str, metrics: EpochMetrics) -> None:
        stage = self._stage(name)
        first = not stage.has_reports
        stage.take(name, metrics)
        if first and not self._console.is_terminal:
            self._print(f"{stage.name}: first report: {stage.running[name]}")

    def ended(self, name: str, state: TrialState, reason: str) -> None:
        stage = self._stage(name)
        last = stage.running[name]
        stage.end(name, state)
        if not self._console.is_terminal or state == TrialState.FAIL:
            self._print(f"{last}: {reason}  [{stage.line()}]")

    def skipped(self, name: str, reason: str) -> None:
        stage = self._stage(name)
        stage.remember(Ended(name, TrialState.PRUNED, None))
        self._print(f"{name} is not trained: {reason}  [{stage.line()}]")

    def _stage(self, name: str) -> "StageView":
        return self._stages[name.partition("-")[0]]

    def say(self, text: str) -> None:
        """Show a status line before the first trial."""
        self._doing = text
        if not self._console.is_terminal:
            self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _render(self) -> RenderableType:
        if not self._stages:
            return Text(f"{self._doing} ...", style="dim")
        return Group(*(stage.render() for stage in self._stages.values() if stage.has_begun))


class StageView:
    """Counts and shows one stage; `num_trials` is `None` where it is not known beforehand."""

    def __init__(
        self, name: str, info: RunInfo, num_trials: int | None, rule: StoppingRule
    ) -> None:
        self.name = name
        self.num_trials = num_trials
        self._metric = METRICS[info.metric]
        self._tally = Tally(info)
        self.running: dict[str, str] = {}
        self.has_begun = False
        self.has_reports = False
        self._epochs: dict[str, int] = {}
        self._training: set[str] = set()
        self._values: dict[str, float] = {}
        self._rule = rule
        self._states: Counter[TrialState] = Counter()
        self._num_earlier = 0
        self._best: tuple[float, str] | None = None
        self._begun = self._ended = time.monotonic()

    def remember(self, ended: Ended) -> None:
        """Count a trial that an earlier session has ended."""
        self._num_earlier += 1
        self._count(ended.name, ended.state, ended.value)
        self._tally.add(ended.name, ended.past)

    def start(self, name: str, epochs: int, past: Past) -> None:
        """Show a trial of so many epochs, at most."""
        if not self.has_begun:
            self._begun = time.monotonic()
        self.has_begun = True
        self.running[name] = f"{name}  waiting"
        self._epochs[name] = epochs
        self._tally.add(name, past)

    def train(self, name: str, epochs_done: int) -> None:
        self._training.add(name)
        if name not in self._values:
            self.running[name] = f"{name}  epoch {epochs_done}/{self._epochs[name]}"

    def take(self, name: str, metrics: EpochMetrics) -> None:
        self._tally.report(name, metrics)
        value = self._metric.on_validation(metrics)
        if not math.isfinite(value):
            return
        self.has_reports = True
        self._values[name] = value
        shown = f"{self._metric.label} {value:.4f}"
        self.running[name] = f"{name}  epoch {metrics.epoch}/{self._epochs[name]}  {shown}"

    def end(self, name: str, state: TrialState) -> None:
        self.running.pop(name)
        self._epochs.pop(name)
        self._training.discard(name)
        self._ended = time.monotonic()
        self._count(name, state, self._values.pop(name, None))

    def _count(self, name: str, state: TrialState, value: float | None) -> None:
        self._states[state] += 1
        if state == TrialState.COMPLETE and value is not None:
            better = self._best is None or self._metric.score(value) > self._metric.score(
                self._best[0]
            )
            self._best = (value, name) if better else self._best

    def line(self) -> str:
        """Sum the stage up: `search 9/16: 3 done, 2 running, ...; best val 0.9 (trial-4); 0:12`."""
        of = f"/{self.num_trials}" if self.num_trials else ""
        best = (
            f"; best {self._metric.label} {self._best[0]:.4f} ({self._best[1]})"
            if self._best
            else ""
        )
        elapsed = _clock(self._seconds())
        return f"{self.name} {self._num_ended}{of}: {self._counts()}{best}; {elapsed}"

    def render(self) -> RenderableType:
        lines: list[RenderableType] = [self._head(), Text(f"  {self._counts()}")]
        if self._best:
            lines.append(
                Text(
                    f"  best {self._metric.label} {self._best[0]:.4f}  {self._best[1]}",
                    style="green",
                )
            )
        rungs = ", ".join(f"{n} at epoch {e}" for e, n in self._rule.rungs().items())
        if rungs:
            lines.append(Text(f"  rungs: {rungs}", style="dim"))
        if told := self._tally.describe():
            lines.append(Text(f"  {told}", style="dim"))
        lines += [Text(f"  {text}") for text in list(self.running.values())[:SHOWN_TRIALS]]
        return Group(*lines)

    def _head(self) -> RenderableType:
        elapsed, ended = self._seconds(), self._num_ended
        head = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [Text(self.name, style="bold")]
        times = f"{_clock(elapsed)} gone"
        if self.num_trials:
            cells += [
                ProgressBar(total=self.num_trials, completed=ended, width=28),
                f"{ended}/{self.num_trials}",
            ]
            if now := ended - self._num_earlier:
                times += f", {_clock(elapsed / now * (self.num_trials - ended))} left"
        head.add_row(*cells, times)
        return head

    def _seconds(self) -> float:
        return (time.monotonic() if self.running else self._ended) - self._begun

    @property
    def _num_ended(self) -> int:
        return sum(self._states.values())

    def _counts(self) -> str:
        return (
            f"{self._states[TrialState.COMPLETE]} done, "
            f"{len(self._training)} running, {len(self.running) - len(self._training)} waiting, "
            f"{self._states[TrialState.PRUNED]} stopped, "
            f"{self._states[TrialState.FAIL]} failed"
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
