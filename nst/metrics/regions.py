"""Metrics of style by style and region, and of what is kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nst import images
from nst.metrics import paint
from nst.metrics import style as forms
from nst.metrics.style import Moments
from nst.types import Image, Mask, Style

_FORMS: dict[str, Callable[[Moments, Moments], float]] = {
    "gram": forms.gram,
    "moments": forms.moments,
    "wasserstein": forms.wasserstein,
    "sliced": forms.sliced,
}
FORMS = tuple(_FORMS)

# Masks are resized, so that what is kept may be 1 up to rounding; an image has steps of 1/255.
_KEPT = 1 - 1 / 512


class Region(NamedTuple):
    """A region of an image, or a style, as metrics of style compare it.

    Attributes:
      image: `[h, w, 3]`.
      mask: `[h, w]`, the weight of each pixel; None for the whole image.
      moments: The moments of its features by layer.
    """

    image: Image
    mask: Mask | None
    moments: dict[str, Moments]


def by_style(
    regions: Sequence[Region], styles: Sequence[Region], groups: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Return the metrics of each region's distance to its style; with several styles they end in `.style_1`, ….

    Args:
      regions: The region of each style.
      styles: The styles.
      groups: Layers by the suffix of the metrics' names.
    """
    values = {}
    for number, (region, style) in enumerate(zip(regions, styles, strict=True), 1):
        own = {
            f"style_{form}{suffix}": _distance(distance, region, style, layers)
            for form, distance in _FORMS.items()
            for suffix, layers in groups.items()
        }
        own["palette"] = paint.palette(region.image, style.image, region.mask, style.mask)
        ending = f".style_{number}" if len(styles) > 1 else ""
        values |= {f"{name}{ending}": value for name, value in own.items()}
    return values


def _distance(
    distance: Callable[[Moments, Moments], float], region: Region, style: Region, layers: Sequence[str]
) -> float:
    """Return the mean distance over the layers in which both have positions, NaN if there is none."""
    shared = [layer for layer in layers if layer in region.moments and layer in style.moments]
    distances = [distance(region.moments[layer], style.moments[layer]) for layer in shared]
    return float(np.mean(distances)) if distances else float("nan")


def across(
    regions: Sequence[Region], styles: Sequence[Region], groups: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Return the distance of each region to the styles of the other ones, by names that `matrix` reads.

    It is `style_wasserstein` of the last group of layers. A region into which another style bleeds is nearer to that
    style. Same arguments as `by_style`.
    """
    suffix, layers = [*groups.items()][-1]
    return {
        f"style_wasserstein{suffix}.region_{i}.style_{j}": _distance(forms.wasserstein, region, style, layers)
        for i, region in enumerate(regions, 1)
        for j, style in enumerate(styles, 1)
        if i != j
    }


def matrix(values: Mapping[str, float]) -> tuple[str, Float[np.ndarray, "regions styles"]] | None:
    """Return the metric and its distances of regions (rows) to styles (columns), from the metrics of a result.

    Returns:
      The metric's name and the distances, each region's to its own style on the diagonal; None for a result without
      regions.
    """
    metric = next((name.partition(".")[0] for name in values if ".region_" in name), "")
    if not metric:
        return None
    count = sum(name.startswith(f"{metric}.style_") for name in values)
    own, other = f"{metric}.style_{{}}", f"{metric}.region_{{}}.style_{{}}"
    numbers = range(1, count + 1)
    rows = [[values[own.format(i) if i == j else other.format(i, j)] for j in numbers] for i in numbers]
    return metric, np.array(rows)


def collage(styles: Sequence[Style], regions: Sequence[Mask | None], size: tuple[int, int]) -> np.ndarray:
    """Return the styles put together, `[h, w, 3]`: each pixel is that of the style to which it belongs most."""
    crops = np.stack([np.clip(images.cover(style.image, *size), 0, 1) for style in styles])
    shares = np.stack([np.ones(size, np.float32) if region is None else region for region in regions])
    return np.take_along_axis(crops, np.argmax(shares, axis=0)[None, ..., None], axis=0)[0]


def keep_difference(image: Image, content: Image, keep: Mask) -> float:
    """Return the largest difference to the content among the pixels that are kept, 0 if there is none."""
    apart = np.abs(np.asarray(image, np.float64) - content)[np.asarray(keep) > _KEPT]
    return float(np.max(apart, initial=0))
