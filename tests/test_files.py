"""Files are complete or absent: interrupted writes, killed processes, two processes that make one file."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nst import files

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def path(tmp_path):
    """A file that exists already."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")
    return path


def half(path, error):
    with files.replacing(path) as beside:
        beside.write_bytes(b"half")
        raise error


def test_a_block_that_ends_well_replaces_the_file(path):
    with files.replacing(path) as beside:
        assert beside.parent == path.parent
        assert beside.suffix == ".png"
        beside.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == [path.name]


def test_folders_are_made(tmp_path):
    files.write_bytes(tmp_path / "a" / "b" / "file", b"new")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path / "a" / "b") == ["file"]


@pytest.mark.parametrize("error", [FULL, ValueError("wrong"), KeyboardInterrupt(), MemoryError()])
def test_a_block_that_raises_leaves_the_old_file(path, error):
    with pytest.raises(type(error)):
        half(path, error)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_the_error_of_a_failed_write_names_the_file(path):
    with pytest.raises(OSError, match="No space left") as caught:
        half(path, OSError(*FULL.args))
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_late_leaves_the_old_file(path, monkeypatch, function, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_in_the_way_is_left_alone(path):
    (path.parent / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_bytes(path.parent / "folder", b"new")
    assert sorted(os.listdir(path.parent)) == ["folder", "picture.png"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_left_alone(path):
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            files.write_bytes(path, b"new")
    finally:
        path.parent.chmod(0o700)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from nst import files
open_ones = [files.replacing(Path(name)) for name in sys.argv[1:]]
for each in open_ones:
    each.__enter__().write_bytes(b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_only_files_that_a_killed_process_left_are_removed(path):
    folder = path.parent
    whole = ["picture.png", ".lock", ".hidden.png", "a.7.png", "done", "000004.safetensors"]
    for name in whole:
        (folder / name).write_bytes(b"old")
    targets = [path, folder / "done", folder / "frames" / "000004.png", folder / "000004.safetensors"]
    command = [sys.executable, "-c", KILLED, *map(str, targets)]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False, timeout=60)
    names = {file.name for file in folder.rglob("*") if file.is_file()}
    assert len(names - set(whole)) == len(targets)
    files.remove_unfinished(folder)
    assert {file.name for file in folder.rglob("*") if file.is_file()} == set(whole)
    assert all((folder / name).read_bytes() == b"old" for name in whole)


def test_made_once_and_not_again(tmp_path):
    path, calls = tmp_path / "folder" / "file", []

    def make():
        calls.append(1)
        path.write_bytes(b"new")

    assert files.make_once(path, make) == files.make_once(path, make) == path
    assert calls == [1]


def test_after_a_maker_that_failed_another_tries(tmp_path):
    def fail():
        raise FULL

    with pytest.raises(OSError, match="No space left"):
        files.make_once(tmp_path / "file", fail)
    files.make_once(tmp_path / "file", (tmp_path / "file").touch)
    assert (tmp_path / "file").exists()


MAKER = """
import sys
from pathlib import Path
from nst import files

def make():
    print("making", flush=True)
    sys.stdin.readline()
    files.write_bytes(path, b"made")  # atomically, as others may read it at any time

path = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(files.make_once(path, make).read_text(), flush=True)
"""


def test_of_two_processes_one_makes(tmp_path):
    command = [sys.executable, "-c", MAKER, str(tmp_path / "file")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:
        assert first.stdout.readline() == second.stdout.readline() == "ready\n"
        first.stdin.write("begin\n")
        first.stdin.flush()
        assert first.stdout.readline() == "making\n"
        second.stdin.write("begin\n")
        second.stdin.flush()
        # The second process waits, or finds the file; without a lock it would print "making" too.
        outputs = [process.communicate("go on\n", timeout=60)[0] for process in (first, second)]
    assert outputs == ["made\n", "made\n"]
    assert Path(tmp_path / "file").read_text() == "made"
