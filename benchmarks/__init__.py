"""Measure this project beside other programs, on one machine, in one run: the commands of `scripts/bench.py`."""
