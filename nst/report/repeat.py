"""The command that repeats a run."""

import shlex
from collections.abc import Mapping
from typing import Any

from nst.report import kinds


def command(config: Mapping[str, Any]) -> str:
    """A line for the shell: the config file of its kind, and a flag for each field that differs from it.

    Args:
      config: Dotted names to values; lists stand for tuples.
    """
    kind = kinds.of(config)
    usual = kind.defaults()
    flags = [f"--config.{name}={value}" for name, value in _plain(config) if usual.get(name) != value]
    return shlex.join(["python", "scripts/run.py", "--config", kind.config, *flags])


def _plain(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, tuple(value) if isinstance(value, list) else value) for name, value in config.items()]
