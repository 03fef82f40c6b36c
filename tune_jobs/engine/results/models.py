"""Export a run's models from its checkpoints to `models/`."""

import sys
import tempfile
from pathlib import Path

from trainables.metrics import Metric
from trainables.storage import files_for
from tune_jobs.engine.results.row import Row
from tune_jobs.engine.run_state.folder import RunFolder, retraining_name
from tune_jobs.engine.stages.candidates import Retrained, best_seed


def export_winner(winner: Retrained, metric: Metric, folder: RunFolder) -> str | None:
    """Copy the winner's best seed on validation to `models/`; return its `.safetensors`, or `None`
    where the model has been removed from both places, which a warning says."""
    name = winner.names[best_seed(winner, metric)]
    source, models = folder.checkpoints.child(name), folder.place.child("models")
    model = f"{name}.safetensors"
    found = [file for file in source.names() if file.startswith("model.")]
    for file in found:
        models.write(file.replace("model", name, 1), source.read(file))
    if not found and model not in models.names():
        print(
            f"warning: {folder.place.uri}: the winner's model is neither in checkpoints/{name} nor "
            "in models/ (removed?): put a copy back, or train it by a new run",
            file=sys.stderr,
        )
        return None
    return models.child(model).uri


def export_ensemble(row: Row, folder: RunFolder) -> str | None:
    """Join the models of an ensemble's row to `models/ensemble.safetensors`; return it, or `None`
    where some have been removed or damaged and it is not there either, which a warning says."""
    from trainables.trials.exported.ensemble import (  # imports torch: no rebuild does
        ENSEMBLE,
        save_ensemble,
    )
    from trainables.trials.exported.model import WEIGHTS

    models, members = folder.place.child("models"), {}
    with tempfile.TemporaryDirectory(prefix="members-") as scratch:
        for member in row.members:
            name = retraining_name(member.trial_number, member.seed)
            place = folder.checkpoints.child(name)
            Path(scratch, name).mkdir()
            for file in place.names():
                if file.startswith("model."):
                    Path(scratch, name, file).write_bytes(place.read(file))
            members[name] = Path(scratch, name, WEIGHTS), member.weight
        try:
            with files_for(models) as target:
                save_ensemble(target, members)
        except (FileNotFoundError, ValueError) as error:
            if ENSEMBLE in models.names():
                return models.child(ENSEMBLE).uri
            print(
                f"warning: {folder.place.uri}: a model of the ensemble cannot be read from "
                f"checkpoints/: {str(error).replace(f'{scratch}/', '')}: put a copy back, or train "
                "it by a new run",
                file=sys.stderr,
            )
            return None
    return models.child(ENSEMBLE).uri
