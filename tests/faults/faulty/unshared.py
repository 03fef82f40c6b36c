"""Checks a storage that each node has for itself.

python -m faulty.unshared ADDRESS FOLDER
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import ray

from trainables.storage import LocalStorage
from tune_jobs.engine.cluster.preflight import check_storage
from tune_jobs.engine.errors import RequestError


@dataclass(frozen=True, slots=True)
class OwnStorage(LocalStorage):
    """As a folder that the nodes do not mount from one place."""

    def here(self) -> LocalStorage:
        return LocalStorage(self.path / ray.get_runtime_context().get_node_id())

    def write(self, name: str, content: bytes) -> None:
        self.here().write(name, content)

    def read(self, name: str) -> bytes:
        return self.here().read(name)

    def names(self) -> list[str]:
        return self.here().names()

    def remove(self, name: str) -> None:
        self.here().remove(name)


if __name__ == "__main__":
    ray.init(sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)
    try:
        print(check_storage(OwnStorage(Path(sys.argv[2]))))
    except RequestError as error:
        sys.exit(str(error))
