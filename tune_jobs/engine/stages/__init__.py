"""Decide what is trained next (probe, search, retraining), and what becomes of each trial."""
