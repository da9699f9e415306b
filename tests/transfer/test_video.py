"""The frames of a video: the first as an image, others near their warped neighbors; cuts, repeats, passes, resuming."""

import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import features, flow, images
from nst.stages import Resume
from nst.transfer import image as of_image
from nst.transfer.image import Scale
from nst.transfer.video import Frames, Motion, frame_size, stages, stylization
from nst.types import Style

pytest.importorskip("cv2")
from nst.video import Frame, scene

LOSS = {
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "style_layer_weights": (),
    "style_weight": 30.0,
    "tv_weight": 1.0,
    "temporal_weight": 500.0,
}
STYLE = np.random.default_rng(0).random((40, 28, 3), np.float32)
SIZE = (36, 64)
SCALES = (Scale(32, 2), Scale(64, 4))
MOTION = Motion(steps=6, tolerance=None)


@pytest.fixture(scope="module")
def network():
    return features.load(weights="random")


@functools.cache
def drawn(count=4, every=4):
    return [each for i, each in enumerate(scene.frames()) if i % every == 0][:count]


def clip(pictures):
    return [Frame(picture, Fraction(i, 24), Fraction(1, 24)) for i, picture in enumerate(pictures)]


def run(folder, pictures, network, motion=MOTION, *, every=(), resume=None, **changes):
    """Return the frames on disk, their index and all snapshots."""
    frames = Frames(folder)
    index = frames.indexed(clip(pictures), (72, 128))
    snapshots = []
    for snapshot in stylization(
        frames,
        index,
        [Style(STYLE)],
        SIZE,
        lambda content: content,
        extractor=network,
        scales=SCALES,
        motion=motion,
        loss_settings={**LOSS, **changes},
        every=every,
        resume=resume,
    ):
        tree = [np.array(leaf) for leaf in jax.tree.leaves(snapshot.tree)]
        snapshots.append((snapshot.stage, snapshot.step, snapshot.evaluations, tree))
    return frames, index, snapshots


def results(frames, count, pass_number=1):
    return [images.read(frames.result(i, pass_number)) for i in range(count)]


@pytest.fixture(scope="module")
def four(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("four")
    return *run(folder, drawn(), network, every=(1,)), folder


def test_the_first_frame_is_that_of_an_image(four, network):
    frames, *_ = four
    content = images.resize(images.read(frames.content(0)), *SIZE)
    settings = {name: value for name, value in LOSS.items() if name != "temporal_weight"}
    *_, last = of_image.stylization(
        content, STYLE, content, extractor=network, scales=SCALES, loss_settings=settings
    )
    alone = np.clip(np.asarray(last.image), 0, 1)
    assert (
        np.abs(alone - results(frames, 1)[0]).max() < 0.6 / 255 + 1e-3
    )  # the programs differ in their last bits


def test_frames_are_near_their_warped_neighbors(four, network, tmp_path):
    frames, index, _, _ = four
    alone, *_ = run(tmp_path, drawn(), network, Motion(6, None, start="content"), temporal_weight=0.0)

    def error(own):
        each = results(own, 4)
        total = []
        for i in range(1, 4):
            motion, weights = frames.flow(i, i - 1, SIZE, index)
            total.append(np.mean(weights[..., None] * np.square(each[i] - flow.warped(each[i - 1], motion))))
        return np.mean(total)

    assert error(frames) < 0.5 * error(alone)


def test_steps_are_those_of_the_stages(four):
    _, index, snapshots, _ = four
    assert stages.steps(index, SCALES, MOTION) == [2, 4, 6, 6, 6]
    assert snapshots[-1][:3] == (4, 24, 24 + 5)


@pytest.mark.parametrize("at", [1, 4, 9, 17, -1])
def test_a_run_resumed_at_any_step_has_the_same_bytes(four, network, tmp_path, at):
    frames, _, snapshots, _folder = four
    stage, _, evaluations, tree = snapshots[at]
    for i in range(max(0, stage - 1)):  # the frames that are done
        images.write(Frames(tmp_path).result(i, 1), results(frames, i + 1)[i])

    def restore(like):
        return jax.tree.unflatten(jax.tree.structure(like), map(jnp.array, tree))

    again, *_ = run(tmp_path, drawn(), network, resume=Resume(stage, restore, evaluations))
    for i in range(4):
        assert again.result(i, 1).read_bytes() == frames.result(i, 1).read_bytes()


def test_a_repeated_frame_is_not_changed(network, tmp_path):
    first, second = drawn()[:2]
    frames, index, _ = run(tmp_path, [first, second, second, second], network)
    assert index.repeats == [2, 3]
    assert len({frames.result(i, 1).read_bytes() for i in (1, 2, 3)}) == 1


def test_a_cut_starts_anew(network, tmp_path):
    other = np.ascontiguousarray(drawn()[0][::-1, ::-1, ::-1])
    frames, index, _ = run(tmp_path / "both", [*drawn()[:2], other, other], network)
    assert index.cuts == [0, 2]
    assert list(index.scene(1)) == [0, 1]
    alone, *_ = run(tmp_path / "alone", [other, other], network)
    for i in range(2):
        assert frames.result(2 + i, 1).read_bytes() == alone.result(i, 1).read_bytes()


def test_a_second_pass_goes_backward_and_blends(network, tmp_path):
    frames, index, snapshots = run(tmp_path, drawn()[:3], network, Motion(2, None, passes=2))
    assert stages.steps(index, SCALES, Motion(2, None, passes=2)) == [2, 4, 2, 2, 2, 2, 2]
    assert [stage for stage, *_ in snapshots][-1] == 6
    assert all(frames.result(i, 2).exists() for i in range(3))
    last = next(tree for stage, _, _, tree in snapshots if stage == 4)[0]
    np.testing.assert_array_equal(last, results(frames, 3)[2])  # the last frame starts from its own result


def test_nearer_results_count_before_those_farther_away(four, network):
    """Equation 9, with the weights of each distance by themselves."""
    frames, index, _, _ = four
    made = stages._Transfer(
        frames, index, [Style(STYLE)], SIZE, lambda c: c, network, SCALES, MOTION, 1.0, 1.0, "style", LOSS
    )
    weights = np.asarray(made._earlier(3, 1).masks["image"])
    c = [frames.flow(3, j, SIZE, index)[1] for j in (2, 1)]
    np.testing.assert_array_equal(weights[0], c[0])
    np.testing.assert_array_equal(weights[1], np.maximum(c[1] - c[0], 0))
    assert not weights[2].any()  # there is no frame −1


@pytest.mark.parametrize(
    ("height", "width", "longest", "expected"),
    [(1080, 1920, 512, (288, 512)), (333, 517, 517, (332, 516)), (100, 3, 64, (64, 2))],
)
def test_results_have_even_sides(height, width, longest, expected):
    assert frame_size(height, width, longest) == expected


def test_what_a_codec_changes_is_a_repeat_and_what_moves_or_fades_is_not(tmp_path):
    still = drawn()[0]
    noise = np.random.default_rng(0).integers(-1, 2, still.shape) * (
        np.random.default_rng(1).random(still.shape) < 0.1
    )
    noisy = np.clip(still + noise, 0, 255).astype(np.uint8)
    moved = still.copy()
    moved[80:84, 80:84] = 255 - moved[80:84, 80:84]
    index = Frames(tmp_path / "a").indexed(clip([still, noisy, still, moved, moved]), still.shape[:2])
    assert index.repeats == [1, 2, 4]
    fade = [
        np.round(still * (1 - 0.002 * i)).astype(np.uint8) for i in range(12)
    ]  # half a level for each frame
    index = Frames(tmp_path / "b").indexed(clip(fade), still.shape[:2])
    assert 3 <= len(index.repeats) <= 9


def test_frames_of_another_clip_are_not_taken(tmp_path):
    pictures, size = drawn()[:3], drawn()[0].shape[:2]
    frames = Frames(tmp_path)
    assert len(frames.indexed(clip(pictures), size, "one").times) == 3
    (tmp_path / ".flow").mkdir()
    assert len(frames.indexed(iter(()), size, "one").times) == 3  # those on disk
    assert len(frames.indexed(clip(pictures[:2]), size, "two").times) == 2
    assert not (tmp_path / ".flow").exists()
    assert not frames.content(2).exists()
