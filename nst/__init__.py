"""Neural style transfer for research, in JAX."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst import audio, features, images, segment, video
    from nst.transfer.audio import stylize_audio
    from nst.transfer.stylize import stylize
    from nst.types import Style

__all__ = ["Style", "audio", "features", "images", "segment", "stylize", "stylize_audio", "video"]

_FUNCTIONS = {"Style": "nst.types", "stylize": "nst.transfer.stylize", "stylize_audio": "nst.transfer.audio"}


def __getattr__(name: str) -> Any:
    """Import an entry of `__all__` when it is first used: importing JAX takes most of a second."""
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in __all__:
        return importlib.import_module(f"nst.{name}")
    raise AttributeError(f"module 'nst' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
