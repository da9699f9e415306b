import functools
import hashlib
import http.server
import socket
import threading
from pathlib import Path

import pytest
from PIL import Image

from nst.audio import samples as audio
from nst.commands.samples import parser
from nst.errors import InputError
from nst.images import samples
from nst.video import samples as video

FETCHED = ["tubingen", "starry_night", "shipwreck", "the_scream"]
AT_HAND = ["astronaut", "coffee", "chelsea", "rocket", "grace_hopper", "strokes", "panes", "hatching"]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "samples"


@pytest.fixture
def pinned(monkeypatch) -> bytes:
    """Replace the hash of The Scream by that of other bytes, and return these."""
    content = b"a scream" * 1000
    sample = samples.SAMPLES["the_scream"]._replace(sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(samples.SAMPLES, "the_scream", sample)
    return content


@pytest.fixture
def served(monkeypatch, tmp_path):
    """Serve a folder at the address of the classics; yield the folder and the list of requests."""
    folder = tmp_path / "served"
    folder.mkdir()
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(samples, "BASE", f"http://127.0.0.1:{server.server_port}/")
    yield folder, requests
    server.shutdown()
    server.server_close()


@pytest.fixture
def offline(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setattr(samples, "BASE", f"http://127.0.0.1:{unused.getsockname()[1]}/")
        yield


def test_names_are_those_of_the_registry_and_only_they_are_located():
    assert set(samples.NAMES) == {*AT_HAND, *FETCHED}
    assert samples.locate("a_picture.jpg") is None


@pytest.mark.parametrize("name", AT_HAND)
def test_these_samples_need_no_network(name, offline):
    path = samples.locate(name)
    assert path is not None
    with Image.open(path) as picture:
        picture.load()
        assert min(picture.size) >= 300


def test_scikit_image_absent(monkeypatch):
    monkeypatch.setattr(samples.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"^chelsea.png is part of scikit-image, which is not installed: pip"
    ):
        samples.locate("chelsea")


def test_scikit_image_without_the_file(monkeypatch):
    sample = samples.SAMPLES["chelsea"]._replace(file="no_such_cat.png")
    monkeypatch.setitem(samples.SAMPLES, "chelsea", sample)
    with pytest.raises(InputError, match=r"no_such_cat.png: the sample chelsea is missing: reinstall"):
        samples.locate("chelsea")


def test_fetched_once(pinned, served, cache):
    folder, requests = served
    (folder / "the_scream.jpg").write_bytes(pinned)
    assert samples.locate("the_scream") == samples.locate("the_scream") == cache / "the_scream.jpg"
    assert (cache / "the_scream.jpg").read_bytes() == pinned
    assert requests == ["/the_scream.jpg"]


def test_fetched_bytes_that_are_not_the_pinned_ones_are_not_kept(pinned, served, cache):
    folder, _ = served
    (folder / "the_scream.jpg").write_bytes(pinned[:-1])
    with pytest.raises(InputError, match="expected SHA-256"):
        samples.locate("the_scream")
    assert not list(cache.glob("*.jpg"))


@pytest.mark.parametrize("name", FETCHED)
def test_offline_and_absent_is_one_line_with_the_remedy(name, offline, cache):
    with pytest.raises(InputError, match=r"refused.*nst samples add FILE") as error:
        samples.locate(name)
    assert "\n" not in str(error.value)
    assert not list(cache.glob("*.jpg"))


def test_a_flipped_bit_in_the_cache_is_noticed(pinned, offline, cache):
    cache.mkdir(parents=True)
    (cache / "the_scream.jpg").write_bytes(b"A" + pinned[1:])
    with pytest.raises(InputError, match=r"the_scream.jpg: expected SHA-256 .* delete it to fetch it again"):
        samples.locate("the_scream")


def test_an_added_file_is_known_by_its_bytes_and_then_located_offline(pinned, offline, cache, tmp_path):
    file = tmp_path / "munch -1 ü.bin"
    file.write_bytes(pinned)
    assert samples.add(str(file)) == cache / "the_scream.jpg"
    located = samples.locate("the_scream")
    assert located is not None
    assert located.read_bytes() == pinned


def test_another_file_is_not_added(cache, tmp_path):
    file = tmp_path / "the_scream.jpg"
    file.write_bytes(b"not it")
    with pytest.raises(InputError, match=r"is that of none of tubingen.jpg, starry_night.jpg"):
        samples.add(file)
    assert not cache.exists()


@pytest.mark.parametrize("path", [".", "no_such_file"])
def test_what_is_not_a_file_is_not_added(path):
    with pytest.raises(InputError, match="give a file that can be read"):
        samples.add(path)


@pytest.mark.parametrize("use", ["locate", "add"])
def test_a_cache_folder_that_cannot_be_written(use, pinned, offline, monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(pinned)
    monkeypatch.setenv("NST_CACHE_DIR", str(file))  # a file where the folder should be
    with pytest.raises(InputError, match="name another with NST_CACHE_DIR"):
        samples.locate("the_scream") if use == "locate" else samples.add(file)


def test_the_script_lists_every_sample_with_its_credit(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "300")
    lines = _listed(capsys)
    assert [*lines] == [*samples.SAMPLES, *audio.SAMPLES, *video.SAMPLES]
    for name, sample in (samples.SAMPLES | audio.SAMPLES | video.SAMPLES).items():
        assert sample.what in lines[name]
        assert sample.credit in lines[name]


def test_the_script_says_where_a_sound_lies_once_it_is_made(monkeypatch, capsys, cache):
    monkeypatch.setenv("COLUMNS", "300")
    assert "made on first use" in _listed(capsys)["melody"]
    assert not cache.exists()  # listing makes nothing
    path = audio.place("melody")
    path.parent.mkdir(parents=True)
    path.touch()
    lines = _listed(capsys)
    assert str(path) in lines["melody"]
    assert "made on first use" in lines["bells"]


def test_the_script_adds(pinned, cache, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_bytes(pinned)
    parser.run(["add", str(file)])
    assert capsys.readouterr().out.strip() == str(cache / "the_scream.jpg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no command: choose from list, add"),
        (["lits"], "unknown command 'lits': did you mean list"),
        (["add"], "required: FILE"),
        (["list", "all"], "unrecognized arguments: all"),
    ],
)
def test_the_script_refuses_what_it_does_not_know(arguments, message):
    with pytest.raises(InputError, match=f"{message}.*: see nst samples"):
        parser.run(arguments)


def _listed(capsys):
    """Return the lines of the table by name."""
    parser.run(["list"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    return {line.split()[1]: line for line in rows}
