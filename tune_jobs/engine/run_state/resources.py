"""Define what a trial takes of the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """Says what each worker of a trial takes, how many workers train it, and how many trials run.

    Attributes:
        cpus: The CPUs of each worker.
        gpus: The GPUs of each worker, at most 1.
        workers: The number of processes that train a trial.
        max_parallel: The most trials at once; `None`: as many as the cluster holds.
    """

    cpus: float
    gpus: float
    workers: int = 1
    max_parallel: int | None = None

    @property
    def per_trial(self) -> dict[str, float]:
        """Return what all workers of a trial take together, by Ray's names."""
        return {"CPU": self.cpus * self.workers, "GPU": self.gpus * self.workers}

    def bundles(self) -> list[dict[str, float]]:
        """Return the bundles of a trial's placement group, one for each worker: they may lie on
        several nodes."""
        return [{"CPU": self.cpus, "GPU": self.gpus}] * self.workers
