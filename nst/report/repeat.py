"""The command that repeats a run."""

import shlex
from collections.abc import Mapping
from typing import Any

from nst.config import defaults
from nst.report.runs import modality_of


def command(config: Mapping[str, Any]) -> str:
    """Return a line for the shell: the config file of the modality, and a flag for each field that differs from it.

    Args:
      config: Dotted names to values; lists stand for tuples.
    """
    of = modality_of(config)
    usual = defaults(of.group)
    flags = [f"--config.{name}={value}" for name, value in _plain(config) if usual.get(name) != value]
    return shlex.join(["python", "scripts/run.py", "--config", of.config, *flags])


def _plain(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, tuple(value) if isinstance(value, list) else value) for name, value in config.items()]
