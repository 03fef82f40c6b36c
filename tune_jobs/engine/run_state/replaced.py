"""Read a file that another process may be replacing at this moment."""

import json
import time
from contextlib import suppress
from typing import Any

from trainables.storage import Storage

TRIES = 5
PAUSE_SECONDS = 0.2


def read_json(place: Storage, name: str) -> Any:
    """Read a JSON file, again where it is none: an object store gives parts of the old and of the
    new content to a reader whose size is of the one, and whose bytes are of the other.

    Raises:
        OSError: It cannot be read; `FileNotFoundError`: there is none.
        ValueError: It stays damaged.
    """
    for _ in range(TRIES - 1):
        with suppress(ValueError):
            return json.loads(place.read(name))
        time.sleep(PAUSE_SECONDS)
    return json.loads(place.read(name))
