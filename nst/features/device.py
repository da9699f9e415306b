"""Capabilities of the current device."""

import re
from pathlib import Path

import jax

_CPUINFO = Path("/proc/cpuinfo")
# Linux's names of processor features with bfloat16 products, on x86 and on Arm.
_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_AMPERE = 8.0  # NVIDIA's first compute capability with bfloat16 products


def has_bfloat16() -> bool:
    """Return whether bfloat16 products are faster than float32 ones on the current device; True if it is unknown."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return _processor_has_bfloat16()
    return float(getattr(device, "compute_capability", _AMPERE)) >= _AMPERE


def least_rounded() -> int:
    """Return the minimum number of input channels for which bfloat16 is faster than float32.

    It is larger on a CPU, where transforms, not products, take most of the time of a narrow layer.
    """
    return 128 if jax.default_backend() == "cpu" else 64  # docs/archive/precision.md


def _processor_has_bfloat16() -> bool:
    try:
        line = re.search(r"^(?:flags|Features)\s*:(.*)$", _CPUINFO.read_text(), re.MULTILINE)
    except OSError:
        return True
    return line is None or not _FLAGS.isdisjoint(line[1].split())
