"""Understands the files, folders, names and labels of users: what means which image and class."""
