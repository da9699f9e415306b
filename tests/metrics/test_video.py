"""Metrics of video over time, against the exact motion of a drawn scene, and faults added to a clip."""

import itertools
import weakref

import numpy as np
import pytest
import scipy.ndimage

from nst import flow, metrics
from nst.errors import InputError
from nst.metrics import video
from nst.metrics.video import brightness, series

pytest.importorskip("cv2")
from nst.video import scene

RATE = 24.0
GENERATOR = np.random.default_rng(0)


def footage(frames):
    return video.Footage(lambda: iter(frames), len(frames), RATE)


def eight_bits(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def drawn():
    return [frame[:96, :128].copy() for _, frame in zip(range(16), scene.frames(), strict=False)]


def textured(height=64, width=96, seed=0):
    """Return an image with details of many sizes, which optical flow can follow."""
    noise = np.random.default_rng(seed).standard_normal((height, width, 3))
    smooth = sum(scipy.ndimage.gaussian_filter(noise, (s, s, 0)) * s for s in (1, 2, 4, 8))
    return eight_bits(40 + 170 * (smooth - smooth.min()) / np.ptp(smooth))


def painted(points):
    """Return the values of a smooth pattern of three channels at points x + i y."""
    waves = [np.sin(points.real / a + points.imag / b) for a, b in ((7, 11), (-9, 6), (13, -8))]
    return 128 + 80 * np.stack(waves, axis=2)


def test_a_clip_that_moves_exactly_as_the_scene_has_no_warping_error():
    """The pattern is carried from frame 0 to 2 by the scene's own flow, not by estimated flow."""
    there, visible = scene.flow(0, 2)
    back, _ = scene.flow(2, 0)
    y, x = np.mgrid[: scene.HEIGHT, : scene.WIDTH]
    first = painted(x + 1j * y)
    second = painted(x + back[..., 0] + 1j * (y + back[..., 1]))
    # The ball's rim is left out: interpolation mixes the two sides there.
    inner = scipy.ndimage.binary_erosion(visible, iterations=3) & ~_rim(there)
    exact = flow.Motion(np.float32(there), np.float32(inner), True)
    error = flow.warping_error(eight_bits(first), eight_bits(second), exact)
    assert error < 3 * (1 / 255) ** 2  # rounding to 8 bits, and interpolation
    reversed_flow = exact._replace(flow=-exact.flow)
    assert flow.warping_error(eight_bits(first), eight_bits(second), reversed_flow) > 100 * error


def _rim(flow):
    steps = [np.abs(np.diff(flow, axis=axis, append=flow.take([-1], axis))).max(2) > 0.3 for axis in (0, 1)]
    return scipy.ndimage.binary_dilation(steps[0] | steps[1], iterations=4)


@pytest.fixture(scope="module")
def shifted():
    """A content that moves by whole pixels, and clips with faults on it."""
    image, sigma = textured(80, 144), 12.0
    content = [image[8:72, 2 * i : 2 * i + 96].copy() for i in range(24)]
    t = np.arange(24) / RATE
    noise = [eight_bits(frame + GENERATOR.normal(0, sigma, frame.shape)) for frame in content]
    flashing = [
        eight_bits(f * (1 + 0.1 * np.sin(2 * np.pi * 10 * s))) for f, s in zip(content, t, strict=True)
    ]
    slow = [eight_bits(f * (1 + 0.1 * np.sin(2 * np.pi * 2 * s))) for f, s in zip(content, t, strict=True)]
    fading = [eight_bits(frame * (1 - i / 40)) for i, frame in enumerate(content)]
    static = [content[0]] * 24
    every = {"content": content, "noise": noise, "flashing": flashing, "slow": slow, "fading": fading}
    every["static"] = static
    measured = video.temporal({name: footage(frames) for name, frames in every.items()})
    return every, {name: each.metrics for name, each in measured.items()}


def test_every_metric_has_a_definition_and_the_content_is_at_zero(shifted):
    _, figures = shifted
    assert all([*row] == [*metrics.VIDEO_METRICS] for row in figures.values())
    assert not {*metrics.VIDEO_METRICS} & {*metrics.METRICS, *metrics.AUDIO_METRICS}
    content = dict(figures["content"])
    assert content.pop("warping") < content.pop("warping_long") < 1e-3
    assert set(content.values()) == {0.0}


def test_noise_of_each_frame_has_twice_its_variance_as_warping_error(shifted):
    """E (n − n′)² = 2 σ²: warping by whole pixels does not average the noise."""
    every, figures = shifted
    noise = np.stack(every["noise"]) / 255.0 - np.stack(every["content"]) / 255.0
    expected = 2 * np.mean(noise**2)
    for name in ("warping", "warping_long"):
        added = figures["noise"][name] - figures["content"][name]
        assert added == pytest.approx(expected, rel=0.15)


def test_a_clip_that_stands_still_does_not_move_as_its_content(shifted):
    """Two pixels to the left in each frame: ‖(−2, 0)‖₁ = 2."""
    _, figures = shifted
    assert figures["static"]["tof"] == pytest.approx(2, abs=0.1)
    assert figures["noise"]["tof"] < 1
    assert figures["static"]["warping"] > 20 * figures["content"]["warping"]


def test_a_brightness_modulated_at_10_hz_is_flicker_and_at_2_hz_it_is_not(shifted):
    """The root mean square of 0.1 b sin(2π 10 t) over blocks of brightness b is 0.1 √(E b² / 2)."""
    every, figures = shifted
    blocks = np.stack([brightness.blocks(frame) for frame in every["content"]])
    expected = 0.1 * np.sqrt(np.mean(blocks**2) / 2)
    assert figures["flashing"]["flicker"] == pytest.approx(expected, rel=0.1)
    assert abs(figures["slow"]["flicker"]) < 0.05 * expected


@pytest.mark.parametrize(("frequency", "rate"), [(7.0, 30.0), (11.0, 50.0), (6.0, 24.0)])
def test_flicker_is_the_root_mean_square_of_a_sinusoid(frequency, rate):
    t = np.arange(90) / rate
    scene = [np.array([0.5 + 0.2 * np.cos(2 * np.pi * frequency * s), 0.5 + s / 10]) for s in t]
    assert brightness.flicker([scene], rate) == pytest.approx(0.2 / np.sqrt(2) / np.sqrt(2), rel=0.03)
    assert brightness.flicker([scene[:3]], rate) == 0
    assert brightness.flicker([scene], 8.0) == 0  # 4 Hz is the highest frequency


def test_blocks_are_means_of_brightness():
    frame = GENERATOR.integers(0, 256, (50, 37, 3), np.uint8)
    luma = frame @ np.array([0.2126, 0.7152, 0.0722]) / 255
    rows, columns = (np.linspace(0, side, 9).astype(int) for side in luma.shape)
    expected = [
        luma[a:b, c:d].mean() for a, b in itertools.pairwise(rows) for c, d in itertools.pairwise(columns)
    ]
    np.testing.assert_allclose(brightness.blocks(frame), expected)


def test_a_clip_that_fades_drifts(shifted):
    from skimage.color import rgb2lab

    every, figures = shifted

    def lightness(name, part):
        return rgb2lab(np.stack(every[name][part]) / 255.0)[..., 0]

    first, last = slice(0, 6), slice(-6, None)
    changes = {
        name: (
            lightness(name, last).mean() - lightness(name, first).mean(),
            lightness(name, last).std() - lightness(name, first).std(),
        )
        for name in ("content", "fading")
    }
    own, usual = changes["fading"], changes["content"]
    assert figures["fading"]["drift_brightness"] == pytest.approx(abs(own[0]) - abs(usual[0]), rel=0.05)
    assert figures["fading"]["drift_contrast"] == pytest.approx(abs(own[1]) - abs(usual[1]), rel=0.2)
    assert figures["fading"]["drift_palette"] > 10
    assert figures["noise"]["drift_brightness"] < 1
    reverse = video.temporal({"content": footage(every["fading"]), "steady": footage(every["content"])})
    assert reverse["steady"].metrics["drift_brightness"] < -10  # it changes less than its content


def test_cuts_are_not_compared(drawn):
    """Two scenes in turn: every value is one within a scene, each scene has its own spectrum."""
    other = [np.ascontiguousarray(frame[::-1, ::-1, ::-1]) for frame in drawn]
    measured = series.measure({"content": footage([*drawn[:13], *other[:4]])})["content"]
    assert [value is None for value in measured.warping] == [False] * 12 + [True] + [False] * 3
    assert [len(scene) for scene in measured.scenes] == [13, 4]
    assert len(measured.warping_long) == 3 + 1  # of frames 10 apart, and the ends of the short scene
    assert max(value for value in measured.warping if value is not None) < 0.01


def test_the_window_and_not_the_clip_is_in_memory(drawn):
    released, most = [], 0

    def frames():
        nonlocal most
        for i in range(60):
            frame = drawn[i % 2][:32, :48].copy()
            weakref.finalize(frame, released.append, i)
            most = max(most, i + 1 - len(released))
            yield frame

    series.measure({"content": video.Footage(frames, 60, RATE)})
    assert 11 < most < 11 + 2 * 10 + 5  # the window, and both parts of the drift


def test_clips_that_can_not_be_compared_are_refused(drawn):
    with pytest.raises(
        InputError, match="short has 3 frames and the content 4: give clips of the same frames"
    ):
        video.temporal({"content": footage(drawn[:4]), "short": footage(drawn[:3])})
    noise = [GENERATOR.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(3)]
    with pytest.raises(InputError, match="no frame of the content shows the same scene"):
        video.temporal({"content": footage(noise)})


def test_frames_are_evenly_spaced_and_their_metrics_averaged():
    assert video.numbers(3) == [0, 1, 2]
    assert video.numbers(50) == [0, 7, 14, 21, 28, 35, 42, 49]
    rows = [{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 5.0}]
    assert video.over_frames(rows) == {"a": 2.0, "b": 5.0, "a_spread": 1.0, "b_spread": 0.0}
