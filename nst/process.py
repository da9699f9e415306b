"""What a process of ours keeps: memory while it lives, and compiled programs beyond that."""

import contextlib
import ctypes
import functools
import gc
import glob
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
from filelock import FileLock


@functools.cache
def prepare(compiled: Path) -> None:
    """What every process that computes does first, once; `compiled` is the folder of `keep_compiled_programs`."""
    warn_in_one_line()
    gc.freeze()  # what is imported stays: walking it takes a tenth of a second, at every full collection
    keep_freed_memory()
    repeat_on_gpus()
    keep_compiled_programs(compiled)


# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8

# A step's temporaries are one piece of hundreds of MiB. Freed, it is split by the next small piece for want of a
# smaller one, does not fit the next time, and the process grows by its size. So there are smaller ones from the start.
_PIECES, _PIECE, _FENCE = 32, 2**25, 2**20


def keep_freed_memory() -> None:
    """Let the process reuse what it frees instead of handing it back; for scripts, before anything is computed.

    XLA allocates the temporaries of each call anew. glibc takes large ones from the system and gives them back, so that
    every page is faulted in and cleared again at every step: a third of a step's time
    (docs/archive/memory-and-startup.md). Elsewhere than on Linux with glibc nothing happens.
    """
    libc = _glibc()
    if libc is None:
        return
    for setting in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1)):
        libc.mallopt(*setting)
    # Addresses, not memory: pages come when they are written to. What is between two pieces is never freed.
    pieces = [libc.malloc(size) for _ in range(_PIECES) for size in (_PIECE, _FENCE)][::2]
    for piece in pieces:
        libc.free(piece)


def release_free_memory() -> None:
    """Return all free pages to the system: compiling, or a smaller scale, leaves hundreds of MiB of them behind."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> Any:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(libc, "malloc_trim"):
        return None
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes, libc.free.restype = [ctypes.c_void_p], None
    return libc


def warn_in_one_line() -> None:
    """Tell warnings as errors are told, each once: a run reads its pictures twice, a sweep for every trial."""
    told: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        line = " ".join(str(message).split())
        if line not in told:
            print(f"warning: {line}", file=sys.stderr)
            told.add(line)

    warnings.showwarning = show


_COMPILED = "/jax/core/compile/backend_compile_duration"


@functools.cache
def _compilations() -> list[float]:
    """Seconds of each, from the first call of this on."""
    found: list[float] = []

    def note(event: str, duration_secs: float, **_: Any) -> None:
        if event == _COMPILED:
            found.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(note)
    return found


def compilations() -> int:
    """How many programs this process has compiled, or found among those kept, since this was first called."""
    return len(_compilations())


# The programs of one scale have some 300 KB. What compiles faster than this is not worth a file.
_LEAST_SECONDS = 0.1
_MOST_BYTES = 2**30


_CACHE_ERROR = re.compile(
    r"Error (reading|writing) persistent compilation cache entry for '(.+?)': (.*)", re.S
)


def keep_compiled_programs(folder: Path) -> None:
    """Let the next process find in `folder` what this one compiles; for scripts.

    The entries used longest ago make room. Machines may share a folder: a program's key has the processor's features.
    JAX's own variables go first: another folder, left to JAX alone, by `JAX_COMPILATION_CACHE_DIR`, none at all by
    `JAX_ENABLE_COMPILATION_CACHE=0`. A damaged entry is replaced; whatever is wrong with the folder costs one warning.
    """
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or not jax.config.values["jax_enable_compilation_cache"]:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
    except OSError as error:
        return _warn_unwritable(folder, error.strerror or type(error).__name__)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", _MOST_BYTES)
    _mend_when_jax_warns(folder)


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed process or a full disk left of an entry: JAX can write no other beside it."""
    with FileLock(folder / ".lockfile", timeout=10):  # JAX's own
        for entry in folder.glob("*-cache"):
            if not entry.with_name(entry.name.removesuffix("-cache") + "-atime").exists():
                entry.unlink()


def _mend_when_jax_warns(folder: Path) -> None:
    """Mend the folder when JAX warns of it, and say so once in our words.

    JAX compiles what it can't read but leaves the damaged entry there for ever. It warns before it compiles and names
    the program, not the entry: with all of that program's entries gone, the one compiled is written again.
    """
    show = warnings.showwarning

    def mend(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
        match = _CACHE_ERROR.match(str(message))
        if match is None:
            return show(message, category, *rest, **named)
        what, program, cause = match.groups()
        with contextlib.suppress(OSError):
            _remove_unfinished(folder)
            for entry in folder.glob(f"{glob.escape(program)}-*") if what == "reading" else ():
                entry.unlink()
        if what == "writing":
            return _warn_unwritable(folder, cause.partition(": '")[0])
        warnings.warn(f"{folder}: damaged, so what was kept there is compiled anew", stacklevel=1)

    warnings.showwarning = mend


def _warn_unwritable(folder: Path, cause: str) -> None:
    remedy = "free it, or name another with NST_CACHE_DIR"
    warnings.warn(f"{folder}: {cause}: programs are compiled anew each time: {remedy}", stacklevel=1)


_REPEATABLE = "--xla_gpu_exclude_nondeterministic_ops"


def repeat_on_gpus() -> None:
    """Let XLA take operations alone that give the same bytes each time; for scripts, before anything is computed.

    On an H200 a step in float32 takes 17 % longer, and a program compiles in seconds where it took over a minute:
    fewer algorithms are tried against each other (docs/archive/gpu.md). `XLA_FLAGS` that name the flag go first.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if _REPEATABLE not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_REPEATABLE}=true".strip()
