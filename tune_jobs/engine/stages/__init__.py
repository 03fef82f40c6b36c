"""Probe, search and retraining: what is trained next, and what becomes of it."""
