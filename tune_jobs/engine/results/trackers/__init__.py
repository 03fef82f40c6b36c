"""Send what a run has recorded to the experiment trackers that `--log` names, a file for each."""
