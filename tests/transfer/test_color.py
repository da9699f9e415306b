import numpy as np
import pytest

import nst
from nst import features, images, runs
from nst.errors import InputError
from nst.images import color
from nst.metrics.paint import palette
from nst.transfer.color import COLORS

KEEP = np.zeros((400, 600), np.float32)
KEEP[:200] = 1


@pytest.fixture(scope="module")
def stylized():
    network = features.load(weights="random")
    layers = {"style_layers": ("relu1_1", "relu2_1"), "content_layers": ("relu2_1",)}
    settings = {"size": 48, "steps": 8, "extractor": network, **layers}
    return {
        name: nst.stylize("coffee", "strokes", color=name, keep=keep, **settings)
        for name, keep in (("style", None), ("content", KEEP), ("match", None))
    }


def test_a_result_with_the_content_colors_has_them_exactly_and_keeps_what_is_kept(stylized):
    content = np.clip(images.fit(images.read("coffee"), 48), 0, 1)
    result = stylized["content"]
    np.testing.assert_allclose(result[:15], content[:15], atol=1e-6)
    free = result[19:]  # the border of what is kept is smooth
    lab, target = color.to_oklab(free), color.to_oklab(content[19:])
    inside = ((free > 0.01) & (free < 0.99)).all(-1)
    np.testing.assert_allclose(lab[inside][:, 1:], target[inside][:, 1:], atol=2e-3)
    assert np.abs(lab[..., 0] - target[..., 0]).mean() > 0.01


def test_the_palette_is_that_of_the_content(stylized):
    content = images.fit(images.read("coffee"), 48)
    figures = {name: palette(result, content) for name, result in stylized.items()}
    assert figures["content"] < figures["match"] < figures["style"]


def test_unknown_colors_are_refused(tmp_path):
    with pytest.raises(InputError, match="content_yiq"):
        nst.stylize("coffee", "strokes", color="contents")
    config = nst.config.base()
    config.images.color = "contents"
    with pytest.raises(InputError, match="content_yiq"):
        runs.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert {"style", "content", "match"} < {*COLORS}
