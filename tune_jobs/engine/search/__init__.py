"""Optuna proposes, Ray Tune runs, the record remembers, a rule stops the weak."""
