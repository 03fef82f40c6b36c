"""Compare rows: within a run, across runs on a board, and with what was computed before."""
