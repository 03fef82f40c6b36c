"""Keep the state of a run outside its record: its folder, its information, its lease."""
