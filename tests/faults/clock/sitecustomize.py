"""On a driver's PYTHONPATH: its clock is `CLOCK_SHIFT` seconds off."""

import os
import time

SHIFT = float(os.environ["CLOCK_SHIFT"])
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + SHIFT
time.time_ns = lambda: _time_ns() + int(SHIFT * 1e9)
