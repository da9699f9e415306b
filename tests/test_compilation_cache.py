"""Compiled programs are cached for the next process; a damaged cache causes one line and changes no result."""

import os
import re
import shutil
import subprocess
import sys
import zlib

import pytest

# Two programs with exact results, each in the cache or not. Python ignores the signal of RLIMIT_FSIZE.
PROGRAM = """
import resource, sys, warnings
from pathlib import Path

import numpy as np
from nst import process
import jax

folder, limit = sys.argv[1:]
seen = []
jax.monitoring.register_event_listener(lambda event, **_: seen.append(event.rpartition("/")[2]))
process.warn_in_one_line()
process._LEAST_SECONDS = 0.0
process.keep_compiled_programs(Path(folder))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))

def step(x):
    return jax.lax.fori_loop(0, 20, lambda _, x: jax.numpy.tanh(x @ x), x)

def norm(x):
    return jax.numpy.sqrt((x * x).sum())

x = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
results = bytes(np.asarray(jax.jit(step)(x))).hex(), bytes(np.asarray(jax.jit(norm)(x))).hex()
print(seen.count("cache_hits"), seen.count("cache_misses"), *results)
"""


def run(folder, limit="", **environment):
    """Return the programs read and written, their results, and the lines on standard error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "TF_"))}
    command = [sys.executable, "-c", PROGRAM, str(folder), str(limit)]
    answer = subprocess.run(
        command, env=inherited | environment, capture_output=True, text=True, check=True, timeout=60
    )
    read, written, *results = answer.stdout.split()
    return int(read), int(written), results, answer.stderr.splitlines()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder with both programs, and their results."""
    folder = tmp_path_factory.mktemp("cache") / "compiled"
    read, written, results, errors = run(folder)
    assert (read, written, errors) == (0, 2, [])
    shutil.copytree(folder, folder.with_name("intact"))
    return folder, results


@pytest.fixture
def cached(first):
    """The same folder, restored, and the results: JAX's keys have the folder's path."""
    folder, results = first
    shutil.rmtree(folder)
    return shutil.copytree(folder.with_name("intact"), folder), results


def entries(folder):
    return {path.name.partition("-")[0]: path for path in folder.glob("*-cache")}


def truncated(content):
    return content[: len(content) // 2]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def foreign(content):
    return zlib.compress(b"not a program" * 100)


def test_the_next_process_compiles_nothing_and_computes_the_same(cached):
    folder, results = cached
    assert run(folder) == (2, 0, results, [])


@pytest.mark.parametrize("damage", [truncated, flipped, foreign])
def test_damaged_entries_are_replaced(cached, damage):
    folder, results = cached
    for path in entries(folder).values():
        path.write_bytes(damage(path.read_bytes()))
    line = f"warning: {folder} is damaged: its programs are compiled again"
    assert run(folder) == (0, 2, results, [line])
    assert run(folder) == (2, 0, results, [])


def test_an_entry_that_a_killed_process_left_is_replaced(cached):
    folder, results = cached
    path = entries(folder)["jit_norm"]
    path.write_bytes(truncated(path.read_bytes()))
    path.with_name(path.name.replace("-cache", "-atime")).unlink()
    entries(folder)["jit_step"].unlink()
    assert run(folder) == (0, 2, results, [])
    assert run(folder) == (2, 0, results, [])


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to set")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, first):
    read, _, results, errors = run(tmp_path / "compiled", 100)
    assert (read, results, len(errors)) == (0, first[1], 1)
    assert re.fullmatch(r"warning: .*compiled: .*too large.*NST_CACHE_DIR", errors[0])
    assert not entries(tmp_path / "compiled")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, first):
    (tmp_path / "file").touch()
    read, written, results, errors = run(tmp_path / "file" / "compiled")
    assert (read, written, results, len(errors)) == (0, 0, first[1], 1)
    assert re.fullmatch(r"warning: .*compiled: Not a directory: .*NST_CACHE_DIR", errors[0])


def test_the_users_settings_of_jax_take_precedence(tmp_path, first):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert run(ours, JAX_COMPILATION_CACHE_DIR=str(theirs)) == (0, 2, first[1], [])
    assert run(ours, JAX_ENABLE_COMPILATION_CACHE="0") == (0, 0, first[1], [])
    assert entries(theirs)
    assert not ours.exists()


def test_the_compilers_tuning_preferences_print_nothing(cached):
    # On AVX-512, XLA stores preferences that it then misses among the features of the processor, as in this entry.
    folder, results = cached
    path = entries(folder)["jit_step"]
    program = zlib.decompress(path.read_bytes())
    feature = re.search(rb"(?<=\+)[a-z]\w{3,}(?=,[+-])", program)
    assert feature is not None
    unknown = program.replace(b"+" + feature[0] + b",", b"+" + b"z" * len(feature[0]) + b",")
    path.write_bytes(zlib.compress(unknown))
    assert run(folder) == (2, 0, results, [])
    *_, errors = run(folder, TF_CPP_MIN_LOG_LEVEL="1")
    assert any(
        "not  supported on the host machine" in line for line in errors
    )  # the entry does cause the message
