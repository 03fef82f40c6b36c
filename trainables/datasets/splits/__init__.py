"""Divide images into train, validation and test, into folds, and by groups that stay whole."""
