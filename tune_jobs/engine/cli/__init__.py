"""The command line: options, progress, signals, sub-commands."""
