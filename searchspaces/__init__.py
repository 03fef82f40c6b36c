"""Define the search spaces, one file per family: pure functions `space(trial) -> constants | None`.

They suggest by the flat names of `trainables.config.TrialConfig`, of the augmentations' amounts and
of the architecture's `Config`; what they return is fixed for every trial.
"""
