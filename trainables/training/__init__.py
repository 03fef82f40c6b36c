"""Models are trained and evaluated here, in one process or in a group of them."""
