import numpy as np
import pytest

from nst.images import color

GENERATOR = np.random.default_rng(0)
IMAGE = GENERATOR.random((20, 30, 3))


def drawn(mean, spread, shape=(40, 50), seed=0):
    """An image of correlated colors, within [0, 1]."""
    generator = np.random.default_rng(seed)
    mixed = generator.standard_normal((*shape, 3)) @ (generator.standard_normal((3, 3)) * spread)
    return np.clip(mean + mixed, 0, 1).astype(np.float32)


STYLE, CONTENT = drawn((0.6, 0.4, 0.5), 0.02), drawn((0.4, 0.5, 0.45), 0.03, (30, 30), 1)


# Ottosson's article has the conversion; the values are those of CSS Color Module Level 4.
@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
        ((0.5, 0.5, 0.5), (0.59818, 0, 0)),
    ],
)
def test_oklab(rgb, lab):
    np.testing.assert_allclose(color.to_oklab(np.array(rgb, float)[None, None])[0, 0], lab, atol=2e-4)


@pytest.mark.parametrize("space", sorted(color.SPACES))
def test_there_and_back(space):
    to, back = color.SPACES[space]
    np.testing.assert_allclose(back(to(IMAGE)), IMAGE, atol=1e-6)


@pytest.mark.parametrize("space", sorted(color.SPACES))
def test_gray_has_the_lightness_and_no_color(space):
    gray = color.gray(IMAGE, space)
    np.testing.assert_allclose(np.ptp(gray, axis=-1), 0, atol=2e-3)
    np.testing.assert_allclose(
        color.SPACES[space][0](gray)[..., 0], color.SPACES[space][0](IMAGE)[..., 0], atol=1e-3
    )


@pytest.mark.parametrize("space", sorted(color.SPACES))
def test_recolored_has_the_lightness_of_one_and_the_colors_of_the_other(space):
    image, other = drawn(0.5, 0.02), drawn(0.45, 0.03, seed=2)
    to = color.SPACES[space][0]
    result = to(color.recolored(image, other, space))
    np.testing.assert_allclose(result[..., 0], to(image)[..., 0], atol=1e-4)
    np.testing.assert_allclose(result[..., 1:], to(other)[..., 1:], atol=1e-4)


@pytest.mark.parametrize("space", sorted(color.SPACES))
def test_the_lightness_of_the_style_gets_mean_and_deviation_of_the_content(space):
    to = color.SPACES[space][0]
    result, target = to(color.with_lightness(STYLE, CONTENT, space))[..., 0], to(CONTENT)[..., 0]
    np.testing.assert_allclose((result.mean(), result.std()), (target.mean(), target.std()), rtol=2e-3)


@pytest.mark.parametrize("method", sorted(color.METHODS))
def test_matched_has_mean_and_covariance_of_the_content(method):
    result = color.matched(STYLE, CONTENT, method).reshape(-1, 3)
    np.testing.assert_allclose(result.mean(0), CONTENT.reshape(-1, 3).mean(0), atol=1e-4)
    np.testing.assert_allclose(np.cov(result.T), np.cov(CONTENT.reshape(-1, 3).T), rtol=2e-3, atol=2e-6)


@pytest.mark.parametrize("method", sorted(color.METHODS))
def test_only_the_parts_that_count_are_matched(method):
    style, content = STYLE.copy(), CONTENT.copy()
    style_mask, content_mask = np.zeros(style.shape[:2]), np.zeros(content.shape[:2])
    style_mask[:, :25] = content_mask[:20] = 1
    style[:, 25:], content[20:] = 0.9, 0.1
    result = color.matched(style, content, method, style_mask, content_mask)[:, :25].reshape(-1, 3)
    np.testing.assert_allclose(result.mean(0), content[:20].reshape(-1, 3).mean(0), atol=1e-4)


@pytest.mark.parametrize("method", sorted(color.METHODS))
def test_images_without_colors_or_without_anything(method):
    gray, flat = np.repeat(STYLE[..., :1], 3, -1), np.full((5, 5, 3), 0.3, np.float32)
    for style, content in (
        (gray, CONTENT),
        (STYLE, gray),
        (gray, gray),
        (flat, CONTENT),
        (STYLE, flat),
        (flat, flat),
    ):
        result = color.matched(style, content, method)
        assert np.isfinite(result).all()
        np.testing.assert_allclose(result.mean((0, 1)), content.mean((0, 1)), atol=0.02)
    np.testing.assert_allclose(np.ptp(color.matched(STYLE, gray, method), axis=-1), 0, atol=0.02)
    assert np.isfinite(color.with_lightness(flat, CONTENT, "oklab")).all()


def test_the_symmetric_map_is_symmetric_and_moves_colors_least():
    covariances = [np.cov(image.reshape(-1, 3).T) for image in (STYLE, CONTENT)]
    maps = {name: function(*covariances) for name, function in color.METHODS.items()}
    np.testing.assert_allclose(maps["symmetric"], maps["symmetric"].T, rtol=1e-6)
    assert np.allclose(maps["cholesky"], np.tril(maps["cholesky"]))
    moved = {name: np.trace((A - np.eye(3)) @ covariances[0] @ (A - np.eye(3)).T) for name, A in maps.items()}
    assert moved["symmetric"] == min(moved.values())
