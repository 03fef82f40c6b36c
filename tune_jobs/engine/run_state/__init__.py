"""Where a run lives: its folder, its information, its lease."""
