"""Comparisons of nst with other programs, on one machine and in one run: the commands of `scripts/bench.py`."""
