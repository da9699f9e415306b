"""The commands of `nst`, one module each, which `scripts/` runs as well. The docstring of a module is its help."""
