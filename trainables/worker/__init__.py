"""What a worker process of a cluster does for a run."""
