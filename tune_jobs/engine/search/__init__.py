"""Optuna proposes, Ray Tune runs, the record remembers, a rule stops the weak."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
