"""Find the metric, the sampler and the stopping rule of an earlier run again, which a module of the
user's may have added."""

import importlib
from collections.abc import Mapping
from typing import Any

from trainables.metrics import METRICS
from tune_jobs.engine.errors import RequestError
from tune_jobs.engine.options import Options
from tune_jobs.engine.run_state.provenance import MAIN, module_of
from tune_jobs.engine.search.early_stopping import RULES
from tune_jobs.engine.search.samplers import SAMPLERS

TABLES: dict[str, Mapping[str, object]] = {
    "metric": METRICS,
    "sampler": SAMPLERS,
    "scheduler": RULES,
}


def find_modules(options: Options) -> dict[str, str]:
    """Return the modules that define what the options of `TABLES` name, by option."""
    used = {
        "metric": METRICS[options.metric].on_validation,
        "sampler": SAMPLERS[options.sampler],
        "scheduler": RULES[options.scheduler],
    }
    return {option: module_of(definition) for option, definition in used.items()}


def import_definitions(stored: Mapping[str, Any]) -> None:
    """Import the modules of what `run.json` names and is not known here.

    Raises:
        RequestError: One cannot be imported, or does not add it.
    """
    for option, table in TABLES.items():
        name = stored.get("options", {}).get(option)
        if not isinstance(name, str) or name in table:
            continue
        unknown = f"--{option} = {name!r} of run {stored.get('run_id')!r} is not known here: "
        module = stored.get("defined_in", {}).get(option, MAIN)
        if module == MAIN:
            raise RequestError(
                f"{unknown}it was added by what began the run: give that command --resume, which "
                f"writes the rows again: {stored.get('command')}"
            )
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise RequestError(
                f"{unknown}it was added by the module {module!r}, which cannot be imported "
                f"({error}): put the folder that it is in on PYTHONPATH"
            ) from error
        if name not in table:
            raise RequestError(f"{unknown}the module {module!r} must add it when it is imported")
