"""Where a run's files lie."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tune_jobs.engine.parts import make_info
from trainables.storage import LocalStorage, open_storage
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.run_state.folder import INFO, RunFolder, place_of, storage_of


@pytest.mark.parametrize("name", ["results", "results?", "what?/results"])
def test_the_storage_of_a_run_is_where_it_was_opened(tmp_path: Path, name: str) -> None:
    storage = open_storage(tmp_path / name)
    assert storage_of(place_of(storage, "digits_cnn", "run")) == storage


@pytest.mark.parametrize(
    ("option", "defined_in", "remedy"),
    [
        ("metric", {"metric": "no_such_module"}, "no_such_module.*put the folder .* on PYTHONPATH"),
        (
            "sampler",
            {"sampler": "this_adds_none"},
            "'this_adds_none' must add it when it is import",
        ),
        ("scheduler", {"scheduler": "__main__"}, "give that command --resume, .*: python mine.py"),
        ("metric", {}, "give that command --resume, .*: python mine.py"),
    ],
)
def test_what_a_module_has_added_and_is_not_known_here_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    defined_in: dict[str, str],
    remedy: str,
) -> None:
    (tmp_path / "this_adds_none.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    stored: dict[str, Any] = make_info(command="python mine.py", defined_in=defined_in).to_json()
    stored["options"][option] = "mine"
    (tmp_path / INFO).write_text(json.dumps(stored))
    with pytest.raises(RequestError, match=f"--{option} = 'mine' of run 'one' is .*{remedy}"):
        RunFolder(LocalStorage(tmp_path), tmp_path).read_info()
