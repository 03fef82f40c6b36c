"""Jobs: one small declarative file per job; `engine` runs them."""
