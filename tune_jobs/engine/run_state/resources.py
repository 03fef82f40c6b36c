"""What a trial takes of the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What each worker of a trial takes, how many of them train it, and how many trials run at once
    at most.

    Attributes:
        cpus: Of each worker.
        gpus: Of each worker, at most 1.
        workers: Processes that train a trial.
        max_parallel: `None`: as many trials as the cluster holds.
    """

    cpus: float
    gpus: float
    workers: int = 1
    max_parallel: int | None = None

    @property
    def per_trial(self) -> dict[str, float]:
        """Ray's names and amounts, of all its workers together."""
        return {"CPU": self.cpus * self.workers, "GPU": self.gpus * self.workers}

    def bundles(self) -> list[dict[str, float]]:
        """The bundles of a trial's placement group, one for each worker; they may lie on several
        nodes."""
        return [{"CPU": self.cpus, "GPU": self.gpus}] * self.workers
