"""Findings of the ablations: published claims beside measurements, from the directories of sweeps."""

from tools.findings.effects import Effect, effect
from tools.findings.measure import Measured, Trial, Unmeasured, measure, trials
from tools.findings.page import write

__all__ = ["Effect", "Measured", "Trial", "Unmeasured", "effect", "measure", "trials", "write"]
