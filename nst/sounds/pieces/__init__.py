"""Sounds to begin with, made by this code: each module has one, and `make()` makes it in less than a second."""
