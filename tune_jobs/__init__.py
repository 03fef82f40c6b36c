"""Declare the jobs, one small file each; `engine` runs them."""
