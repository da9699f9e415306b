"""The examples in the docstrings of the library's entries run as tests."""

import doctest

import pytest

import nst

ENTRIES = {
    "nst.stylize": nst.stylize,
    "nst.stylize_audio": nst.stylize_audio,
    "nst.images.read": nst.images.read,
    "nst.images.write": nst.images.write,
    "nst.audio.read": nst.audio.read,
    "nst.audio.write": nst.audio.write,
    "nst.video.probe": nst.video.probe,
    "nst.video.read": nst.video.read,
    "nst.video.timeline": nst.video.timeline,
    "nst.video.write": nst.video.write,
    "nst.video.sound_of": nst.video.sound_of,
    "nst.features.load": nst.features.load,
    "nst.segment.propose": nst.segment.propose,
}


@pytest.mark.parametrize("name", ENTRIES)
def test_the_example_has_the_output_that_it_shows(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (test,) = doctest.DocTestFinder(recurse=False).find(ENTRIES[name], name, globs={"nst": nst})
    assert test.examples, "an entry without an example"
    doctest.DebugRunner().run(test)
