"""A run in a folder has one live process; `test_object_store.py` has those in a store."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainables.storage import LocalStorage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.lease import lease

HOLDER = """
import sys
from pathlib import Path
from trainables.storage import LocalStorage
from tune_jobs.engine.run_state.lease import lease
with lease(LocalStorage(Path(sys.argv[1])), "one"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lease_ends_with_its_process_and_with_nothing_else(tmp_path: Path) -> None:
    place = LocalStorage(tmp_path)
    with lease(place, "one") as is_held:
        assert is_held()
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):  # who is refused leaves it as it was
            with (
                pytest.raises(RequestError, match=f'that run is alive .*"pid": {holder.pid}') as no,
                lease(place, "one"),
            ):
                pass
            assert str(no.value).startswith("--run-id = 'one': ")
        holder.kill()
    with lease(place, "one") as is_held:
        assert is_held()
