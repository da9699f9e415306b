import numpy as np
import pytest
import scipy.ndimage

from nst import video
from nst.errors import InputError
from nst.video import samples, scene


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def drawn():
    return [image.astype(np.float64) for image in scene.frames()]


def test_a_sample_is_made_once_and_is_a_path_like_any_other(cache, monkeypatch):
    path = samples.locate("pan")
    assert path == samples.place("pan")
    assert video.list_videos("pan") == [path]
    monkeypatch.setitem(samples.SAMPLES, "pan", samples.SAMPLES["pan"]._replace(frames=None))
    clip = video.probe("pan")
    assert (clip.height, clip.width, clip.rate, clip.duration, clip.sound) == (180, 320, 24, 2, ("aac",))
    assert len(video.timeline("pan")) == 49
    assert abs(len(video.sound_of("pan").samples) / 44_100 - 2) < 0.05
    assert samples.locate("pan.mp4") is None


def test_the_clip_shows_the_scene(cache, drawn):
    for frame, image in zip(video.read("pan"), drawn, strict=True):
        assert np.abs(frame.image - image).mean() < 5  # half of it because colors have half the resolution


def test_nothing_moves_in_still(cache):
    frames = [frame.image.astype(int) for frame in video.read("still")]
    assert len(frames) == 50
    assert max(np.abs(frame - frames[0]).mean() for frame in frames) < 1


def test_other_code_has_another_path(monkeypatch, tmp_path):
    before = samples.place("pan")
    (tmp_path / "other.py").write_text("")
    monkeypatch.setattr(scene, "__file__", str(tmp_path / "other.py"))
    assert samples.place("pan") != before


def test_a_cache_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NST_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(InputError, match="name another with NST_CACHE_DIR"):
        video.probe("pan")


@pytest.mark.parametrize(("i", "j"), [(0, 1), (10, 12), (30, 22), (5, 5)])
def test_the_flow_maps_one_frame_to_another(drawn, i, j):
    """A frame sampled along the flow is the other one where both are visible, and not where the mask says hidden."""
    motion, visible = scene.flow(i, j)
    y, x = np.mgrid[: scene.HEIGHT, : scene.WIDTH]
    places = [y + motion[..., 1], x + motion[..., 0]]
    warped = np.stack(
        [scipy.ndimage.map_coordinates(drawn[j][..., c], places, order=1) for c in range(3)], axis=2
    )
    error = np.abs(warped - drawn[i]).mean(axis=2)
    inner = scipy.ndimage.binary_erosion(visible, iterations=2)  # rims are mixed colors
    assert error[inner].mean() < 4
    if i != j:
        still = np.abs(drawn[j] - drawn[i]).mean(axis=2)
        assert error[inner].mean() < 0.3 * still[inner].mean()
        assert error[~visible].mean() > 40
        assert 0.75 < visible.mean() < 0.99
    else:
        assert np.abs(motion).max() < 1e-9
        assert visible.all()


def test_flow_there_and_back_is_none():
    there, visible = scene.flow(8, 11)
    back, _ = scene.flow(11, 8)
    y, x = np.nonzero(scipy.ndimage.binary_erosion(visible, iterations=2))
    target = np.stack([x, y], axis=1) + there[y, x]
    inverse = np.stack(
        [scipy.ndimage.map_coordinates(back[..., c], [target[:, 1], target[:, 0]], order=1) for c in (0, 1)],
        axis=1,
    )
    off = np.linalg.norm(there[y, x] + inverse, axis=1)
    assert np.quantile(off, 0.97) < 1e-6  # the rest is at the rim of the ball, where two motions are mixed


def test_an_estimate_of_the_flow_agrees(drawn):
    import cv2

    first, second = (np.rint(drawn[i].mean(axis=2)).astype(np.uint8) for i in (20, 21))
    estimate = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)
    motion, visible = scene.flow(20, 21)
    off = np.linalg.norm(estimate - motion, axis=2)[visible]
    assert np.median(off) < 0.1
    assert np.quantile(off, 0.9) < 0.6
