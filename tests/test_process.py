"""Process-wide setup: a process reuses the memory that it frees, without page faults and without growing."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import ctypes, resource, sys
from nst.process import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for i in range(11):
    if i == 1:
        before = faults()
    bytearray(40_000_000)
print(faults() - before)
"""

# A step: its temporaries, an output that is allocated with them, and one after them.
GROWTH = """
import sys
import psutil
from nst import process

if sys.argv[1] == "one piece":
    process._PIECES = 0
process.keep_freed_memory()
outputs, resident = [], [psutil.Process().memory_info().rss // 2**20]
for _ in range(10):
    temporaries = b"x" * 200_000_000
    outputs.append(b"x" * 3_000_000)
    resident.append(psutil.Process().memory_info().rss // 2**20)
    del temporaries
    outputs.append(b"x" * 3_000_000)
print(max(resident) - resident[0])
"""

HANDED_BACK = """
import sys
import psutil
from nst.process import release_free_memory, keep_freed_memory

keep_freed_memory()
resident = lambda: psutil.Process().memory_info().rss // 2**20
pieces = [b"x" * 1_000_000 for _ in range(200)]
remaining = pieces[::10]
del pieces
before = resident()
release_free_memory()
print(before - resident())
"""

FLAGS = """
import os
import jax
from nst.process import prepare
from pathlib import Path

prepare(Path())
print(os.environ["XLA_FLAGS"], jax.numpy.ones(2).sum())
"""

FROZEN = """
import gc
import sys
from pathlib import Path
from nst.process import prepare

prepare(Path(sys.argv[1]))
gc.collect()  # then only objects that are not frozen are left
print(len(gc.get_objects()))
"""

glibc = pytest.mark.skipif(sys.platform != "linux", reason="needs glibc's malloc")


def number(program, *arguments):
    command = [sys.executable, "-c", program, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_imported_objects_are_not_collected_again(tmp_path):
    assert number(FROZEN, tmp_path) < 10_000


@glibc
def test_pages_are_faulted_in_once():
    assert number(FAULTS, "return") > 50_000
    assert number(FAULTS, "keep") < 5_000


@glibc
def test_small_pieces_do_not_split_large_ones():
    assert number(GROWTH, "one piece") > 380
    assert number(GROWTH, "pieces") < 300


@glibc
def test_free_pages_between_others_are_handed_back():
    assert number(HANDED_BACK) > 150


@pytest.mark.parametrize(
    ("own", "all_of_them"),
    [
        ("", "--xla_gpu_exclude_nondeterministic_ops=true"),
        (
            "--xla_gpu_autotune_level=2",
            "--xla_gpu_autotune_level=2 --xla_gpu_exclude_nondeterministic_ops=true",
        ),
        (
            "--xla_gpu_exclude_nondeterministic_ops=false",
            "--xla_gpu_exclude_nondeterministic_ops=false",
        ),
    ],
)
def test_xla_is_asked_for_repeatable_operations_unless_the_flag_is_set(own, all_of_them, tmp_path):
    command = [sys.executable, "-c", FLAGS]
    environment = os.environ | {"XLA_FLAGS": own}
    process = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert process.stdout == f"{all_of_them} 2.0\n"  # XLA ends the process if it does not know a flag
