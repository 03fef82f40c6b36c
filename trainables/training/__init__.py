"""How a model is trained and evaluated, in one process or in a group of them."""
