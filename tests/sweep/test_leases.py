"""Leases: one holder at a time, and expiry of leases that are not touched."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nst import holder
from nst.sweep import leases


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(leases, "BEAT", 0.05)


def never():
    raise AssertionError("the lease was lost")


def age(path, seconds):
    old = time.time() - seconds
    os.utime(path, (old, old))


def test_there_is_one_holder(tmp_path):
    lease = leases.take(tmp_path, "a.1", never)
    assert leases.take(tmp_path, "a.1", never) is None
    assert leases.holders(tmp_path) == {"a.1": holder.own()}
    other = leases.take(tmp_path, "a", never)  # a prefix of the other name
    assert other is not None
    lease.give_back()
    again = leases.take(tmp_path, "a.1", never)
    assert again is not None
    again.give_back()
    other.give_back()
    assert not list(tmp_path.iterdir())


def test_one_of_many_contenders_gets_the_lease(tmp_path):
    for _ in range(20):
        barrier = threading.Barrier(8)

        def contend(_, barrier=barrier):
            barrier.wait()
            return leases.take(tmp_path, "x", never)

        with ThreadPoolExecutor(8) as pool:
            taken = [lease for lease in pool.map(contend, range(8)) if lease is not None]
        assert len(taken) == 1
        taken[0].give_back()


def test_a_lease_that_is_not_touched_expires_and_its_holder_is_notified(tmp_path, quick, monkeypatch):
    lost = threading.Event()
    (tmp_path / "x.3").write_text("another-host pid 17\n")
    assert leases.take(tmp_path, "x", never) is None
    age(tmp_path / "x.3", leases.EXPIRY + 5)
    mine = leases.take(tmp_path, "x", lost.set)
    assert mine is not None
    assert mine.path.name == "x.4"
    (tmp_path / "x.5").write_text(
        "another-host pid 17\n"
    )  # as if this process had been suspended for a minute
    assert lost.wait(5)
    mine.give_back()
    assert {path.name for path in tmp_path.iterdir()} == {"x.5"}


def test_a_holder_whose_lease_is_gone_is_notified(tmp_path, quick):
    lost = threading.Event()
    lease = leases.take(tmp_path, "x", lost.set)
    lease.path.unlink()
    assert lost.wait(5)


def test_a_dead_process_holds_nothing(tmp_path):
    take = f"from pathlib import Path; from nst.sweep import leases; leases.take(Path({str(tmp_path)!r}), 'x', None)"
    subprocess.run(
        [sys.executable, "-c", f"{take}; import os; os.kill(os.getpid(), 9)"], check=False, timeout=60
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.1"]
    lease = leases.take(tmp_path, "x", never)
    assert lease is not None
    lease.give_back()


def test_a_lease_is_touched_while_its_holder_lives(tmp_path, quick):
    lease = leases.take(tmp_path, "x", never)
    age(lease.path, leases.EXPIRY + 5)
    time.sleep(0.5)
    assert leases.take(tmp_path, "x", never) is None
    lease.give_back()
