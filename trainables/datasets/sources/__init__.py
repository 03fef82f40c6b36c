"""One file per kind of source of images."""
