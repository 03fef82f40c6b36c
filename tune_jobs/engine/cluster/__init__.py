"""Start or join the cluster, check it, and give it the data that trials share."""
