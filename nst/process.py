"""How a process of ours asks the system for memory."""

import ctypes
import sys

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


def keep_freed_memory() -> None:
    """Let the process reuse what it frees instead of handing it back; for scripts, before anything is computed.

    XLA allocates the temporaries of each call anew. glibc takes large ones from the system and gives them back, so that
    every page is faulted in and cleared again at every step: a third of a step's time (docs/performance.md).
    Elsewhere than on Linux with glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_TOP_PAD, 2**28)
        mallopt(_ARENA_MAX, 1)
