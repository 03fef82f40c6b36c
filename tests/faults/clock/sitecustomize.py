"""On a driver's PYTHONPATH: its clock is `CLOCK_SHIFT` seconds off, in Optuna's journal too."""

import datetime
import os
import time
from typing import Self

from optuna.storages.journal import _storage

SHIFT = float(os.environ["CLOCK_SHIFT"])
_time, _time_ns = time.time, time.time_ns


class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) + datetime.timedelta(seconds=SHIFT)


time.time = lambda: _time() + SHIFT
time.time_ns = lambda: _time_ns() + int(SHIFT * 1e9)
_storage.datetime = Shifted  # type: ignore[attr-defined]
