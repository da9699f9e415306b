"""Process-wide setup: memory allocator, warnings, compilation cache, repeatable GPU kernels."""

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

# This is read once, when jaxlib is imported. Up to jax 0.10, XLA logs kilobytes about tuning preferences for each
# program that it loads from the compilation cache on a processor with AVX-512. Its real errors are raised too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
from filelock import FileLock


@functools.cache
def prepare(compiled: Path) -> None:
    """Set up the process, before any computation; later calls do nothing.

    Args:
      compiled: The folder for `keep_compiled_programs`.
    """
    warn_in_one_line()
    gc.freeze()  # imported modules stay: visiting their objects takes a tenth of a second per full collection
    keep_freed_memory()
    repeat_on_gpus()
    keep_compiled_programs(compiled)


# Constants of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8

# The temporaries of a step are one block of hundreds of MiB. Once it is freed, a small allocation would split it if
# there is no smaller free block; the next step then needs a new one, and the process grows by its size. So smaller free
# blocks, the pieces, are made at the start.
_PIECES, _PIECE, _FENCE = 32, 2**25, 2**20


def keep_freed_memory() -> None:
    """Let the process reuse freed memory instead of returning it to the system; for scripts, before any computation.

    XLA allocates the temporaries of every call. glibc takes large ones from the system and returns them, so that every
    page is faulted in and cleared at every step, which takes a third of its time (docs/archive/memory-and-startup.md).
    Without Linux and glibc this does nothing.
    """
    libc = _glibc()
    if libc is None:
        return
    for setting in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1)):
        libc.mallopt(*setting)
    # This takes addresses, not memory: pages are mapped when written. The fences between the pieces are never freed.
    pieces = [libc.malloc(size) for _ in range(_PIECES) for size in (_PIECE, _FENCE)][::2]
    for piece in pieces:
        libc.free(piece)


def release_free_memory() -> None:
    """Return all free pages to the system: compiling, or a smaller scale, leaves hundreds of MiB of them."""
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


def wait_for_devices() -> None:
    """Wait for all computations under way; for scripts, before they exit.

    A process that exits while XLA computes may die of SIGSEGV: destructors of jaxlib do not wait for its threads.
    """
    with contextlib.suppress(RuntimeError):  # of a computation that fails: nothing reads its result any more
        jax.block_until_ready(jax.live_arrays())


def warn_in_one_line() -> None:
    """Print each warning in one line, like errors, and once: a run reads its images twice, a sweep for every trial."""
    printed: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        line = " ".join(str(message).split())
        if line not in printed:
            print(f"warning: {line}", file=sys.stderr)
            printed.add(line)

    warnings.showwarning = show


_COMPILED = "/jax/core/compile/backend_compile_duration"


@functools.cache
def _compilations() -> list[float]:
    """Return the durations of all compilations since the first call, s: a list that grows."""
    durations: list[float] = []

    def note(event: str, duration_secs: float, **_: Any) -> None:
        if event == _COMPILED:
            durations.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(note)
    return durations


def compilations() -> int:
    """Return the number of programs compiled, or read from the cache, since the first call in this process."""
    return len(_compilations())


# The programs of one scale take some 300 KB. Programs that compile faster than this are not cached.
_LEAST_SECONDS = 0.1
_MOST_BYTES = 2**30


_CACHE_ERROR = re.compile(
    r"Error (reading|writing) persistent compilation cache entry for '(.+?)': (.*)", re.S
)


def keep_compiled_programs(folder: Path) -> None:
    """Cache compiled programs in `folder` for the next process; for scripts.

    The least recently used entries are removed at 1 GiB. Machines may share a folder, as the key of a program has the
    features of the processor. JAX's own variables take precedence: `JAX_COMPILATION_CACHE_DIR` names another folder,
    which is left to JAX, and `JAX_ENABLE_COMPILATION_CACHE=0` turns caching off. A damaged entry is replaced; a folder
    that can't be used causes one warning.
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
    """Remove incomplete entries that a killed process or a full disk left, as JAX does not overwrite them."""
    with FileLock(folder / ".lockfile", timeout=10):  # JAX's own lock
        for entry in folder.glob("*-cache"):
            if not entry.with_name(entry.name.removesuffix("-cache") + "-atime").exists():
                entry.unlink()


def _mend_when_jax_warns(folder: Path) -> None:
    """Repair the folder when JAX warns about an entry, and warn once in one line.

    JAX compiles a program that it can't read, but never replaces the damaged entry. It warns before it compiles and
    names the program, not the entry. So all entries of the program are removed here, and JAX then writes a new one.
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
        warnings.warn(f"{folder} is damaged: its programs are compiled again", stacklevel=1)

    warnings.showwarning = mend


def _warn_unwritable(folder: Path, cause: str) -> None:
    remedy = "check its space and permissions, or name another with NST_CACHE_DIR"
    warnings.warn(f"{folder}: {cause}: programs are compiled again each time: {remedy}", stacklevel=1)


_REPEATABLE = "--xla_gpu_exclude_nondeterministic_ops"


def repeat_on_gpus() -> None:
    """Restrict XLA to GPU operations that give the same bytes each time; for scripts, before any computation.

    On an H200 a step in float32 takes 17 % longer, but a program compiles in seconds instead of over a minute, as fewer
    algorithms are compared (docs/archive/gpu.md). If `XLA_FLAGS` already sets the flag, it is left as it is.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if _REPEATABLE not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_REPEATABLE}=true".strip()
