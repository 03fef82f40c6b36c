"""A job that misbehaves on order; drivers run in the folder above."""
