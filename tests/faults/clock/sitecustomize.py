"""On a driver's PYTHONPATH: its clock is `CLOCK_SHIFT` seconds off."""

import datetime
import os
import time
from typing import Self

SHIFT = float(os.environ["CLOCK_SHIFT"])
_time, _time_ns = time.time, time.time_ns


class Shifted(datetime.datetime):
    __slots__ = ()  # of the size that compiled modules expect

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) + datetime.timedelta(seconds=SHIFT)


time.time = lambda: _time() + SHIFT
time.time_ns = lambda: _time_ns() + int(SHIFT * 1e9)
datetime.datetime = Shifted  # type: ignore[misc]
