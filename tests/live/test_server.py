"""The server of the live page: what it answers, and what it never does."""

import os
import time
from urllib.parse import quote

import httpx
import pytest

from nst import live
from nst.errors import InputError
from nst.live import server
from nst.sweep import leases
from tests.live.conftest import events, eventually, log, serving, write_plan, write_run


def get(served, path, **settings):
    return httpx.get(f"{served.address}{path}", **settings)


def test_the_page_loads_only_its_own_parts(served):
    answer = get(served, "/")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script src=" in answer.text
    assert get(served, "/live.js").headers["content-type"].startswith("text/javascript")
    assert ".card" in get(served, "/live.css").text


def test_files_of_runs_are_served_in_parts_too(served, runs):
    answer = get(served, "/files/first/image.png")
    assert answer.content == (runs / "first" / "image.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    part = get(served, "/files/first/image.png", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "first/../../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "first/%2e%2e/%2e%2e/secret.png",
        "link.png",
        "folder/secret.png",
        "first/config.json",
        "first",
        "absent.png",
        "first/%00.png",
        "a" * 5000 + ".png",
    ],
)
def test_nothing_else_is_served(served, runs, path):
    (runs.parent / "outside").mkdir()
    for place in (runs.parent / "secret.png", runs.parent / "outside" / "secret.png"):
        place.write_bytes(b"secret")
    os.symlink(runs.parent / "secret.png", runs / "link.png")
    os.symlink(runs.parent / "outside", runs / "folder")
    answer = httpx.get(httpx.URL(served.address, raw_path=f"/files/{path}".encode()))
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_an_absolute_path_is_not_served(served, runs):
    secret = runs.parent / "secret.png"
    secret.write_bytes(b"secret")
    for path in (f"//{secret}", quote(str(secret), safe="")):
        assert get(served, f"/files/{path}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_answers_get_only(served, method):
    for path in ("/", "/events", "/run", "/files/first/image.png"):
        assert httpx.request(method, f"{served.address}{path}").status_code == 405


def test_a_page_of_another_host_name_gets_nothing(served):
    assert get(served, "/", headers={"Host": "evil.example"}).status_code == 400


def test_events_tell_all_runs_and_then_what_changes(served, runs):
    received = events(served.address)
    assert next(received) == ("directory", {"folder": str(runs)})
    name, value = next(received)
    assert (name, [row["folder"] for row in value["rows"]], value["gone"]) == (
        "rows",
        ["first", "second"],
        [],
    )
    log(runs / "second", 30, loss=0.5)
    began = time.monotonic()
    _, value = next(received)
    assert time.monotonic() - began < 6  # two on a machine that does nothing else
    assert [(row["folder"], row["loss"]) for row in value["rows"]] == [("second", 0.5)]
    write_run(runs / "third", number=3)
    assert "third" in {row["folder"] for row in next(received)[1]["rows"]}
    for path in sorted((runs / "first").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (runs / "first").rmdir()
    while not (value := next(received)[1])["gone"]:
        pass
    assert value["gone"] == ["first"]
    received.close()


def test_it_goes_on_after_a_state_that_can_not_be_read(served, runs, monkeypatch, caplog):
    received = events(served.address)
    next(received)
    next(received)

    def failing(*_):
        raise KeyError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(server, "rows", failing)
        log(runs / "second", 30)
        assert eventually(lambda: "can't be read" in caplog.text)
    assert [row["step"] for row in next(received)[1]["rows"]] == [30]
    received.close()


def test_it_sleeps_when_nobody_looks_and_forgets_who_has_left(served, monkeypatch):
    monkeypatch.setattr(server, "_HEARTBEAT", 0.1)
    assert served.watch.listeners == 0
    with httpx.Client() as client:
        several = [events(served.address, client) for _ in range(3)]
        for each in several:
            next(each)
            next(each)
        assert served.watch.listeners == 3
        for each in several:
            each.close()
    assert eventually(lambda: served.watch.listeners == 0)
    assert served.watch._task is None


def test_it_changes_nothing(tmp_path):
    write_plan(tmp_path / "sweep", {"a": {}, "b": {}})
    write_run(tmp_path / "sweep" / "trials" / "a", done=False)
    lease = leases.take(tmp_path / "sweep" / "leases", "a", lambda: None)
    folders = [path for path in (tmp_path / "sweep").rglob("*") if path.name != "a.1"]  # it is touched
    before = {path: path.stat().st_mtime_ns for path in folders}
    with serving(tmp_path / "sweep") as other:
        assert next(events(other.address))[0] == "directory"
        for path in ("/", "/run?folder=trials/a", "/report", "/files/trials/a/frames/000000.png"):
            assert get(other, path).status_code == 200
    assert {path: path.stat().st_mtime_ns for path in before} == before
    lease.give_back()
    assert {path.name for path in (tmp_path / "sweep").iterdir()} == {"plan.json", "trials", "leases"}


def test_a_run_in_full(served):
    answer = get(served, "/run", params={"folder": "first"})
    assert {*answer.json()} == {"curve", "frames", "kind", "inputs"}
    assert get(served, "/run", params={"folder": "../x"}).status_code == 404


def test_the_report_of_now(served, tmp_path):
    answer = get(served, "/report")
    assert answer.status_code == 200
    assert '"base":"./files"' in answer.text
    assert "content-security-policy" not in answer.headers  # it is in the page, with the hashes of its parts
    (tmp_path / "empty").mkdir()
    with serving(tmp_path / "empty") as other:
        assert get(other, "/report").status_code == 404


def test_the_report_on_a_sweep_in_the_directory(served, runs):
    write_plan(runs / "ratio", {"a": {}})
    write_run(runs / "ratio" / "trials" / "a")
    answer = get(served, "/report", params={"folder": "ratio"})
    assert '"base":"./files/ratio"' in answer.text
    for folder in ("..", "/etc", "first/image.png", "absent"):
        assert get(served, "/report", params={"folder": folder}).status_code == 404


@pytest.mark.parametrize("what", ["a run", "an image"])
def test_a_report_does_not_show_what_links_lead_out_to(served, runs, tmp_path, what):
    write_run(tmp_path / "elsewhere")
    if what == "a run":
        (runs / "link").symlink_to(tmp_path / "elsewhere")
    else:
        (runs / "first" / "image.png").unlink()
        (runs / "first" / "image.png").symlink_to(tmp_path / "elsewhere" / "image.png")
    answer = get(served, "/report")
    assert answer.status_code == 404
    assert "leads out of the directory: make the report by nst report" in answer.text


def test_what_can_not_be_served_is_one_line(tmp_path, runs, served):
    with pytest.raises(InputError, match="no directory: give one of nst run or nst sweep"):
        live.serve(tmp_path / "absent")
    port = int(served.address.rpartition(":")[2])
    with pytest.raises(InputError, match="can't be listened on: give another --port"):
        live.serve(runs, port=port)


def test_it_stops_while_somebody_looks(runs):
    with serving(runs) as other:
        received = events(other.address)
        next(received)
    assert len(list(received)) <= 1  # the rows of the first look; the server has let the viewer go
