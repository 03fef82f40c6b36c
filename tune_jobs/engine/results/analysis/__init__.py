"""Say what a search's record shows of the search itself."""
