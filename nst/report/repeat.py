"""The command that repeats a run."""

import shlex

from nst.report.runs import modality_of
from nst.runs.follow import as_tuples, usual
from nst.types import Values


def command(config: Values) -> str:
    """Return a line for the shell: the config file of the modality, and a flag for each field that differs from it.

    Args:
      config: Values by dotted name; lists stand for tuples.
    """
    default = usual(config)
    values = as_tuples(config).items()
    flags = [f"--config.{name}={value}" for name, value in values if default.get(name) != value]
    return shlex.join(["python", "scripts/run.py", "--config", modality_of(config).config, *flags])
