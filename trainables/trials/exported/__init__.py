"""What a run leaves: models, ensembles of them, and files of both for other programs."""
