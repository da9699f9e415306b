"""Estimates of the memory that a run needs, and the memory that is free."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
import psutil

from nst.types import Network

# Bytes of Winograd filters and of compilation, fitted to runs of 128 to 1024 pixels (docs/performance.md).
_REST = 500 * 2**20

_FLOAT = 4  # bytes of a float32

# Estimates are within a fifth (docs/performance.md), so a run that needs this multiple of what is free would be killed.
_FAR = 1.5


class MemoryWarning(UserWarning):
    """A run may need more memory than is free."""


class FarTooLargeWarning(MemoryWarning):
    """A run needs far more memory than is free."""


def needed(
    extractor: Network,
    layers: Sequence[str],
    content: tuple[int, int],
    styles: Sequence[tuple[int, int]],
    optimizer: optax.GradientTransformation,
    regions: Sequence[float] = (),
) -> int:
    """Estimate the bytes that a run takes at its largest scale.

    Args:
      extractor: The network.
      layers: The layers that the loss reads.
      content: Height and width of the image that is optimized.
      styles: Height and width of each style image, whose features are computed one by one, without a gradient.
      optimizer: The optimizer, whose state may hold a history of images.
      regions: The share of the image that each region takes, by its bounding box. A gradient keeps the features of a
        region once more, multiplied by their weights.
    """
    features = _FLOAT * max(extractor.activations(size, layers) for size in (content, *styles))
    shapes = extractor.shapes(content, layers).values()
    masked = _FLOAT * sum(regions) * sum(height * width * (N + 1) for height, width, N in shapes)
    targets = _FLOAT * len(styles) * sum(N**2 for *_, N in shapes)
    state = held(jax.eval_shape(optimizer.init, _image(*content)))
    reference = held(jax.eval_shape(lambda x: extractor.reference(x, layers), _image(*content)))
    return _REST + features + int(masked) + targets + state + reference


def _image(height: int, width: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((height, width, 3), jnp.float32)


def held(tree: Any) -> int:
    """Return the bytes of a pytree of arrays, or of their shapes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def free() -> int | None:
    """Return the free bytes of the device that JAX computes on; None if the device does not report them."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return min([psutil.virtual_memory().available, *_container()])
    statistics = device.memory_stats() or {}
    if "bytes_limit" not in statistics:
        return None
    return statistics["bytes_limit"] - statistics["bytes_in_use"]


def _container() -> list[int]:
    """Return the free bytes of a Linux container, whose limit the system's figure ignores; empty without a limit."""
    try:
        limit, used = (Path(f"/sys/fs/cgroup/memory.{x}").read_text().strip() for x in ("max", "current"))
        return [int(limit) - int(used)]
    except (OSError, ValueError):  # no container, or "max"
        return []


def check(what: str, needed: int, remedy: str) -> None:
    """Warn if a run needs more memory than is free, by `FarTooLargeWarning` if far more.

    Args:
      what: The size of the run in words, for the message.
      needed: An estimate of the bytes that the run takes.
      remedy: What to do about it.
    """
    available = free()
    if available is not None and needed > available:
        kind = FarTooLargeWarning if needed > _FAR * available else MemoryWarning
        text = f"{what} need about {gib(needed)}, but only {gib(available)} are free: {remedy}"
        warnings.warn(text, kind, stacklevel=3)


def remedy(size: int | None = None) -> str:
    """Return what to do if memory is too small; `size` is a longest side that fits, in pixels."""
    to = "" if size is None else f" to {size}"
    return f"lower images.size{to}, or take optimizer.name=adam, which keeps no history"


def largest(size: int, needed: int) -> int | None:
    """Return the longest side, in pixels, of which a run is likely to fit; None if even the smallest is not.

    Args:
      size: The longest side of a run.
      needed: An estimate of the bytes that it takes, which but for a constant grow by the square of the side.
    """
    share = ((free() or 0) - _REST) / max(1, needed - _REST)
    side = int(size * max(0.0, share) ** 0.5) // 16 * 16
    return side if side >= 64 else None


def gib(n: int) -> str:
    """Format a number of bytes in GiB."""
    return f"{n / 2**30:.1f} GiB"
