"""Do a run's tasks in a worker process of the cluster."""
