"""Write TensorBoard's logs from the driver, without importing torch or tensorflow.

<run folder>/tensorboard/               what the HParams tab shows: hyperparameters and metrics
<run folder>/tensorboard/trial-0007/    one trial: scalars by epoch, hyperparameters, status
"""

import math
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2
from tensorboard.summary.writer.record_writer import RecordWriter

SHOWN = ("accuracy/val", "loss/val")
"""The tags of the scalars that the HParams tab shows."""

Status = Literal["success", "failure"]

_STATUS = {"success": api_pb2.STATUS_SUCCESS, "failure": api_pb2.STATUS_FAILURE}


class TrialLog:
    """Writes the log of one trial into `folder`, whose name is the name that TensorBoard shows.

    The trial is in the HParams tab as soon as this object exists. A folder that has a log already,
    of a run that was interrupted, gets another file that continues it.

    Raises:
        TypeError: A hyperparameter is no bool, int, float or str.
    """

    def __init__(self, folder: Path, hparams: Mapping[str, bool | int | float | str]) -> None:
        start = summary_v2.hparams_pb(hparams, trial_id=folder.name)
        self._events = EventFile(folder)
        self._events.write(start)

    def add_epoch(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add an epoch's metrics by tag, such as `accuracy/val`; what is not finite is left out.

        A reader sees them when this returns, also if the process is killed right after.
        """
        values = [
            summary_pb2.Summary.Value(tag=tag, simple_value=value)
            for tag, value in scalars.items()
            if math.isfinite(value)
        ]
        self._events.write(summary_pb2.Summary(value=values), step)

    def close(self, status: Status | None = None) -> None:
        """Close the file; a trial that will be resumed has no status yet.

        A trial that the scheduler stopped early is a success. The first status is final:
        TensorBoard ignores a later one.
        """
        if status is not None:
            self._events.write(_build_session_end(status))
        self._events.close()


def write_hparams_config(folder: Path, hparams: Mapping[str, BaseDistribution | None]) -> None:
    """Write what the HParams tab shows and filters by, once, into the root `tensorboard` folder.

    Args:
        folder: The parent of the trials' folders.
        hparams: Every hyperparameter that a trial may have, since the tab shows no other, and its
            distribution where it is known.
    """
    config = summary_v2.hparams_config_pb(
        [summary_v2.HParam(name, _build_domain(d)) for name, d in hparams.items()],
        [summary_v2.Metric(tag) for tag in SHOWN],
    )
    events = EventFile(folder)
    events.write(config)
    events.close()


class EventFile:
    """Writes an event file through at each event: a reader has it when `write` returns.

    No public library does that. `tensorboardX` and TensorBoard's `EventFileWriter` have a thread
    and a queue per file, and the former's `flush` does not wait for its queue; it imports torch,
    too. TensorBoard's public `summary.Writer` knows scalars alone, and its `hparams.api` imports
    tensorflow.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a folder's files by name, so the name must sort by time.
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self._records = RecordWriter((folder / name).open("xb"))
        self._append(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, summary: Any, step: int = 0) -> None:
        self._append(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def _append(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()

    def close(self) -> None:
        self._records.close()


def _build_session_end(status: Status) -> Any:
    end = plugin_data_pb2.SessionEndInfo(status=_STATUS[status], end_time_secs=time.time())
    content = metadata.create_summary_metadata(
        plugin_data_pb2.HParamsPluginData(session_end_info=end)
    )
    value = summary_pb2.Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG, metadata=content, tensor=metadata.NULL_TENSOR
    )
    return summary_pb2.Summary(value=[value])


def _build_domain(distribution: BaseDistribution | None) -> Any:
    match distribution:
        case FloatDistribution(low=low, high=high):
            return summary_v2.RealInterval(low, high)
        case IntDistribution(low=low, high=high):
            return summary_v2.IntInterval(low, high)
        case CategoricalDistribution(choices=choices) if len({type(c) for c in choices}) == 1:
            return summary_v2.Discrete(choices)
    return None  # unknown, or choices of several types, which the tab cannot filter by
