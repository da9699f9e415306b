"""The command that repeats a run."""

import shlex
from collections.abc import Mapping
from typing import Any

from nst.experiment.follow import as_tuples, usual
from nst.report import kinds


def command(config: Mapping[str, Any]) -> str:
    """A line for the shell: the config file of its kind, and a flag for each field that differs from it.

    Args:
      config: Dotted names to values; lists stand for tuples.
    """
    default = usual(config)
    values = as_tuples(config).items()
    flags = [f"--config.{name}={value}" for name, value in values if default.get(name) != value]
    return shlex.join(["python", "scripts/run.py", "--config", kinds.of(config).config, *flags])
