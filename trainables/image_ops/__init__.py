"""Tensor operations on whole batches of images, with one random draw per image."""
