"""What a process of ours keeps: memory while it lives, and compiled programs beyond that."""

import ctypes
import os
import sys
from pathlib import Path

import jax

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -2, -3, -4, -8


def keep_freed_memory() -> None:
    """Let the process reuse what it frees instead of handing it back; for scripts, before anything is computed.

    XLA allocates the temporaries of each call anew. glibc takes large ones from the system and gives them back, so that
    every page is faulted in and cleared again at every step: a third of a step's time (docs/performance.md).
    Elsewhere than on Linux with glibc nothing happens.
    """
    _mallopt((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1))


def hand_back_large_pieces() -> None:
    """From now on keep what is freed only up to 32 MiB, the most that glibc has a limit for.

    For large pictures: their temporaries of hundreds of MiB fit badly into what was freed before, so that a process
    which keeps them takes up to twice what it needs. A step then takes 5 % longer (docs/performance.md).
    """
    _mallopt((_MMAP_THRESHOLD, 2**25), (_MMAP_MAX, 2**16))


def _mallopt(*settings: tuple[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in settings:
            mallopt(parameter, value)


# A compiled step has some 1 to 5 MB. What compiles faster than this is not worth a file.
_LEAST_SECONDS = 0.1
_MOST_BYTES = 2**30


def keep_compiled_programs(folder: Path) -> None:
    """Let the next process find in `folder` what this one compiles; for scripts.

    The entries used longest ago make room. JAX's own variables go first: another folder by
    `JAX_COMPILATION_CACHE_DIR`, none at all by `JAX_ENABLE_COMPILATION_CACHE=0`. A damaged entry costs a warning.
    """
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_compilation_cache_max_size", _MOST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
