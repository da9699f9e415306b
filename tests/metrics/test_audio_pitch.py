"""Pitches on melodies and chords whose notes are known."""

import numpy as np
import pytest

from nst.metrics import audio
from nst.metrics.audio import pitch
from nst.metrics.audio.heard import RATE, hear

TIMBRES = ["pure", "bright", "hollow", "thin"]
MELODY = (60, 64, 67, 72, 71, 67, 62, 55)
CHORDS = ((48, 55, 64), (53, 57, 60), (55, 59, 62, 65), (45, 52, 61))


def estimated(x, tuning=0.0):
    return [set(np.nonzero(frame)[0] + pitch.LOWEST) for frame in pitch.pitches(hear(x).x, tuning)]


def steady(notes, timbre, make):
    """Yield the estimated and the true pitches of each frame that lies entirely within a note."""
    sets = estimated(make.played(notes, timbre, seconds=1))
    for number, chord in enumerate(notes):
        inside = range(-(-number * RATE // 1024), ((number + 1) * RATE - 4096) // 1024 + 1)
        yield from ((sets[frame], set(np.atleast_1d(chord))) for frame in inside)


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("notes", [range(30, 42), MELODY, (84, 91, 95)], ids=["low", "tune", "high"])
def test_pitches_are_the_notes_that_are_played(notes, timbre, make):
    assert all(pitches == played for pitches, played in steady(notes, timbre, make))


def test_silence_and_faint_noise_have_no_pitches(make):
    assert estimated(np.zeros((RATE, 1))) == [set()] * 18
    note, rest = make.played([60]), np.zeros((RATE // 2, 1))
    sets = estimated(np.concatenate([note, rest, note]) + 1e-3 * np.std(note) * make.noise(1.5))
    assert [frame for frame in sets if frame - {60}] == []
    assert sum(not frame for frame in sets) > 5


# Not "thin": its notes share their strong harmonics.
@pytest.mark.parametrize("timbre", ["pure", "bright", "hollow"])
def test_pitches_of_chords_are_all_their_notes(timbre, make):
    assert all(pitches == played for pitches, played in steady(CHORDS, timbre, make))


@pytest.mark.parametrize("timbre", TIMBRES)
def test_notes_are_kept_in_another_timbre_and_not_in_another_key(timbre, make):
    content = make.played(MELODY)
    results = {
        "same": make.played(MELODY, timbre),
        "noisy": make.played(MELODY, timbre) + 0.03 * make.noise(len(content) / RATE),
        "noisier": make.played(MELODY, timbre) + 0.1 * make.noise(len(content) / RATE),
        "semitone": make.played(np.add(MELODY, 1), timbre),
        "other": make.played(MELODY[::-1], timbre),
    }
    figures = audio.evaluate(content, make.rumbling(2), results, rate=RATE)
    jaccard = {name: row["pitch_jaccard"] for name, row in figures.items()}
    assert jaccard["same"] > 0.9
    assert jaccard["noisy"] > 0.9
    assert jaccard["noisier"] > 0.75
    assert jaccard["semitone"] < 0.1
    assert jaccard["other"] < 0.4
    assert jaccard["style"] < 0.1
    chroma = {name: row["chroma_cosine"] for name, row in figures.items()}
    assert chroma["same"] > 0.9
    assert chroma["semitone"] < 0.5


@pytest.mark.parametrize("tuning", [0.5, -0.3, 0.2])
def test_notes_between_those_of_440_hz_are_as_steady(tuning, make):
    x, other = (make.played(MELODY, timbre, tuning=tuning) for timbre in ("bright", "pure"))
    error = (pitch.tuning(hear(x).x) - tuning + 0.5) % 1 - 0.5
    assert abs(error) < 0.07
    figures = audio.evaluate(x, make.rumbling(1), {"other": other}, rate=RATE)
    assert figures["other"]["pitch_jaccard"] > 0.9
