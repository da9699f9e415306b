"""What a process keeps: freed memory for its next allocation, compiled programs for the next process."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource, sys
from nst.process import hand_back_large_pieces, keep_freed_memory

if sys.argv[1] != "return":
    keep_freed_memory()
if sys.argv[1] == "keep small":
    hand_back_large_pieces()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for i in range(11):
    if i == 1:
        before = faults()
    bytearray(40_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc is asked")
def test_pages_are_faulted_in_once():
    faults = {
        how: int(
            subprocess.run(
                [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("keep", "return", "keep small")
    }
    assert faults["return"] > 50_000
    assert faults["keep small"] > 50_000
    assert faults["keep"] < 5_000


COMPILES = """
import sys
from pathlib import Path
import jax
from nst.process import keep_compiled_programs

keep_compiled_programs(Path(sys.argv[1]))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.monitoring.register_event_listener(lambda event, **_: print(event) if "/cache_hits" in event else None)
print(float(jax.jit(lambda x: (x * 3).sum())(jax.numpy.arange(5.0))))
"""


def compile_once(folder, **environment):
    result = subprocess.run(
        [sys.executable, "-c", COMPILES, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    *hits, value = result.stdout.split()
    assert value == "30.0"
    return len(hits), result.stderr


def test_the_next_process_compiles_nothing_and_a_damaged_entry_costs_a_warning(tmp_path):
    assert compile_once(tmp_path) == (0, "")
    entries = list(tmp_path.glob("*-cache"))
    assert compile_once(tmp_path) == (len(entries), "")
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:100])
    hits, told = compile_once(tmp_path)
    assert hits == 0
    assert "UserWarning: Error reading persistent compilation cache entry" in told


def test_a_user_can_have_compiled_programs_elsewhere_or_not_at_all(tmp_path):
    compile_once(tmp_path / "ours", JAX_COMPILATION_CACHE_DIR=str(tmp_path / "theirs"))
    compile_once(tmp_path / "none", JAX_ENABLE_COMPILATION_CACHE="0")
    assert list((tmp_path / "theirs").glob("*-cache"))
    assert not (tmp_path / "ours").exists()
    assert not list((tmp_path / "none").glob("*-cache"))


def test_where_nothing_can_be_kept_it_is_compiled(tmp_path):
    (tmp_path / "a file").touch()
    hits, _ = compile_once(tmp_path / "a file" / "compiled")
    assert hits == 0
