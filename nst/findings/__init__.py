"""Findings of the ablations: published claims beside measurements, from the directories of sweeps."""

from nst.findings.effects import Effect, effect
from nst.findings.measure import Measured, Trial, Unmeasured, measure, trials
from nst.findings.page import write

__all__ = ["Effect", "Measured", "Trial", "Unmeasured", "effect", "measure", "trials", "write"]
