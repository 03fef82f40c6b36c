"""The report of a run: one page without a network, and the same pictures in TensorBoard."""

from tune_jobs.engine.results.report.write import write_report

__all__ = ["write_report"]
