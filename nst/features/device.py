"""What the present device can do."""

import re
from pathlib import Path

import jax

_CPUINFO = Path("/proc/cpuinfo")
# On x86 and on Arm, as Linux names them.
_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_AMPERE = 8.0  # the first of NVIDIA's with bfloat16 products


def has_bfloat16() -> bool:
    """Whether products of bfloat16 are faster than float32's on the present device; True where it doesn't say."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return _processor_has_bfloat16()
    return float(getattr(device, "compute_capability", _AMPERE)) >= _AMPERE


def least_rounded() -> int:
    """Return the channels from which on rounding is faster: on a CPU transforms, not products, bound narrow layers."""
    return 128 if jax.default_backend() == "cpu" else 64  # docs/performance.md


def _processor_has_bfloat16() -> bool:
    try:
        line = re.search(r"^(?:flags|Features)\s*:(.*)$", _CPUINFO.read_text(), re.MULTILINE)
    except OSError:
        return True
    return line is None or not _FLAGS.isdisjoint(line[1].split())
