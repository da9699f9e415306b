"""Regions of images by clusters of a network's features."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nst import images
from nst.segment.clusters import Centers, centers, distances
from nst.segment.columns import LAYERS, aligned, hypercolumns
from nst.segment.drawing import COLORS, colored, preview, shares
from nst.segment.regions import LEAST_SHARE, Labels, cleaned, enlarged, nearest
from nst.types import Extractor, Image

__all__ = ["COLORS", "LAYERS", "LEAST_SHARE", "Regions", "colored", "preview", "propose", "shares"]


class Regions(NamedTuple):
    """Regions of one or more images.

    Attributes:
      labels: Of each image, the region of each pixel `[h, w]`: 0 is the largest region of the first image, and so on;
        regions that only other images have come last.
      absent: The number of clusters of the first image that another image lacks. Each was replaced by the nearest
        cluster that the other images have.
    """

    labels: tuple[Labels, ...]
    absent: int


def propose(extractor: Extractor, inputs: Sequence[Image], number: int, *, size: int = 384) -> Regions:
    """Divide images into regions that look alike to a network, by k-means on its features.

    The clusters are those of all images together: one label means the same cluster in each of them. A cluster of the
    first image that another one lacks is replaced by the nearest cluster that the other images have.

    Args:
      extractor: A network that has the layers of `LAYERS`, such as VGG-19.
      inputs: Images `[h, w, 3]` of any sizes.
      number: The number of regions to look for; fewer are found if some are too small or are absent from another image.
      size: The longest side, in pixels, at which the network sees the images.

    Raises:
      InputError: A resized image is too small for a layer.

    Example:
      >>> network = nst.features.load("vgg19", padding="replicate")
      >>> regions = nst.segment.propose(network, [nst.images.read("coffee")], 3)
      >>> regions.labels[0].shape
      (400, 600)
    """
    resized = [images.fit(image, size) for image in inputs]
    columns = aligned([hypercolumns(extractor, image) for image in resized])
    k = centers(np.concatenate([each.reshape(-1, each.shape[-1]) for each in columns]), number)
    labels = [cleaned(nearest(distances(c, k), image)) for c, image in zip(columns, resized, strict=True)]
    labels[0], absent = _replaced(labels, k)
    labels = [enlarged(each, *image.shape[:2]) for each, image in zip(labels, inputs, strict=True)]
    return Regions(_sorted(labels), absent)


def _replaced(labels: Sequence[Labels], centers: Centers) -> tuple[Labels, int]:
    """Return the labels of the first image, each that others lack replaced by the nearest; and the number of these."""
    common = [k for k in range(len(centers)) if all((each == k).any() for each in labels[1:])]
    absent = np.setdiff1d(labels[0], common) if common else []
    target = np.arange(len(centers))
    for k in absent:
        target[k] = common[np.argmin(distances(centers[k], centers[common]))]
    return target[labels[0]], len(absent)


def _sorted(labels: Sequence[Labels]) -> tuple[Labels, ...]:
    """Return labels numbered from 0: the largest in the first image first, then those of other images alone."""
    number = 1 + max(int(each.max()) for each in labels)
    counts = [np.bincount(each.ravel(), minlength=number) for each in labels]
    order = np.lexsort([-count for count in reversed(counts)])
    rank = np.argsort(order)
    return tuple(rank[each] for each in labels)
