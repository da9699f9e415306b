"""Memory that a process frees is there for its next allocation, without the system's help."""

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
