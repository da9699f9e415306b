"""What the ablations found, from the directories of their sweeps: each published claim beside what was measured."""

from nst.findings.effects import Effect, effect
from nst.findings.measure import Measured, Trial, Unmeasured, measure, trials
from nst.findings.page import write

__all__ = ["Effect", "Measured", "Trial", "Unmeasured", "effect", "measure", "trials", "write"]
