"""A server of the live page in a thread, and run directories that change under it."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest

from nst.live import server
from tests.report.browser import chromium  # noqa: F401  (a fixture)
from tests.report.conftest import write_plan, write_run


@contextmanager
def serving(folder):
    """Serve a folder on a free port; yield its address and its `Watch`."""
    app = server.application(folder, ["127.0.0.1"])
    bound = socket.create_server(("127.0.0.1", 0))
    process = server.Server(app)
    thread = threading.Thread(target=process.run, kwargs={"sockets": [bound]})
    thread.start()
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    assert eventually(lambda: process.started)
    try:
        yield SimpleNamespace(address=address, watch=app.state.watch)
    finally:
        process.should_exit = True
        thread.join(timeout=10)
        bound.close()
        assert not thread.is_alive()


@pytest.fixture
def runs(tmp_path):
    """A folder with one finished run and one that goes on."""
    folder = tmp_path / "runs"
    write_run(folder / "first", number=1)
    write_run(folder / "second", number=2, done=False)
    return folder


@pytest.fixture
def served(runs):
    with serving(runs) as server_of_runs:
        yield server_of_runs


def events(address, client=None):
    """Yield the events of a server as (name, value), without its signs of life."""
    with (client or httpx).stream("GET", f"{address}/events", timeout=10) as answer:
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def eventually(condition, seconds=10.0):
    """Wait until a condition holds, and return whether it did."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def log(folder, step, loss=1.0):
    """Append a line to the metrics of a run."""
    line = {"step": step, "evaluations": step + 1, "seconds": step / 2, "loss": loss, "content": loss / 2}
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")


__all__ = ["events", "eventually", "log", "serving", "write_plan", "write_run"]
