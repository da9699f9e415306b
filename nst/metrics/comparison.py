"""The metrics of images that are compared with one content and the same styles."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nst import images, masks
from nst.errors import InputError
from nst.guided import Regions, any_masks, free
from nst.losses import total_variation
from nst.metrics import content as contents
from nst.metrics import paint, texture
from nst.metrics.definitions import CFSD_LAYER, COSINE_LAYER, COVERAGE_LAYER
from nst.metrics.measured import Measured, measure
from nst.metrics.regions import Region, across, by_style, collage, keep_difference
from nst.types import Features, Image, Mask, Network, Style


class Comparison(NamedTuple):
    """The content and the styles that images are compared with, measured.

    Attributes:
      content: `[h, w, 3]` in [0, 1].
      styles: The styles, with masks in the size of their images.
      keep: `[h, w]`, 1 where results are the content itself; None if nothing is kept.
      regions: The region of each style without what is kept, `[h, w]`; None for the whole image.
      rest: What is not kept, by layer and for `image`; None if nothing is kept.
      extractor: The network.
      groups: The style layers by the suffix of their metrics' names.
      reference: The features of the content.
      targets: The styles as regions.
      target: The features of the only style; none if there are several.
    """

    content: Image
    styles: Sequence[Style]
    keep: Mask | None
    regions: Sequence[Mask | None]
    rest: Mapping[str, Mask | None]
    extractor: Network
    groups: Mapping[str, tuple[str, ...]]
    reference: Measured
    targets: Sequence[Region]
    target: Features

    @property
    def masked(self) -> bool:
        """Whether there are several styles, or masks."""
        return len(self.styles) > 1 or any_masks(self.styles, Regions(self.keep))

    def of_image(self, image: Image) -> dict[str, float]:
        """Return the metrics of an image of the content's size."""
        measured = self.reference
        if image is not self.content:
            measured = measure(image, self.extractor, _layers(self.groups), self.regions)
        regions = _as_regions(image, self.regions, measured)
        return self._row(image, measured.features, regions, image)

    def of_styles(self) -> dict[str, float]:
        """Return the metrics of the styles themselves, as a baseline.

        For metrics that compare position by position, the styles are resized and cropped to the content's size, and put
        together by their regions. The others are those of the styles before.
        """
        image = collage(self.styles, self.regions, (self.content.shape[0], self.content.shape[1]))
        whole = self.styles[0].image if self.target else image
        same = self.target and whole.shape == image.shape
        features = self.target if same else measure(image, self.extractor, ()).features
        return self._row(image, features, self.targets, whole)

    def _row(
        self, image: Image, features: Features, regions: Sequence[Region], whole: Image
    ) -> dict[str, float]:
        """Return the metrics of an image and of what is compared with each style; `whole` is the image uncropped."""
        values = by_style(regions, self.targets, self.groups) | self._content(image, features)
        values["grid"] = texture.grid(texture.luminance(whole))
        if not self.masked:
            values |= _faults(whole, self.styles[0].image)
            values["coverage"] = self._coverage(features)
        if self.keep is not None:
            values["keep_difference"] = keep_difference(image, self.content, self.keep)
        if len(self.styles) > 1 and any(style.content_mask is not None for style in self.styles):
            values |= across(regions, self.targets, self.groups)
        return values

    def _coverage(self, features: Features) -> float:
        each = (layers[COVERAGE_LAYER] for layers in (features, self.reference.features, self.target))
        return paint.coverage(*each, stride=self.extractor.stride(COVERAGE_LAYER))

    def _content(self, image: Image, features: Features) -> dict[str, float]:
        target, rest = self.reference.features, self.rest
        return {
            "content_cosine": contents.cosine(
                features[COSINE_LAYER], target[COSINE_LAYER], rest[COSINE_LAYER]
            ),
            "ssim": contents.ssim(image, self.content, rest["image"]),
            "cfsd": contents.cfsd(features[CFSD_LAYER], target[CFSD_LAYER], rest[CFSD_LAYER]),
            "border": contents.border(image, self.content),
            "tv": float(total_variation(image)) / (image.shape[0] * image.shape[1]),
        }


def comparison(
    content: Image,
    styles: Sequence[Style],
    keep: Mask | None,
    extractor: Network,
    groups: Mapping[str, tuple[str, ...]],
) -> Comparison:
    """Measure content and styles; same arguments as `nst.metrics.evaluate`, with the groups of style layers.

    Raises:
      InputError: A region has no pixel.
    """
    content = np.clip(content, 0, 1)
    size = (content.shape[0], content.shape[1])
    keep = _sized(keep, size)
    styles = [_prepared(each, size) for each in styles]
    regions = free(styles, Regions(keep))
    _check_regions(regions)
    layers = _layers(groups)
    measured = [measure(each.image, extractor, layers, [each.mask]) for each in styles]
    targets = [
        _as_regions(each.image, [each.mask], own)[0] for each, own in zip(styles, measured, strict=True)
    ]
    return Comparison(
        content,
        styles,
        keep,
        regions,
        _rest(keep, extractor),
        extractor,
        groups,
        measure(content, extractor, layers, regions),
        targets,
        measured[0].features if len(styles) == 1 else {},
    )


def _prepared(style: Style, size: tuple[int, int]) -> Style:
    """Return a style within [0, 1], with masks in the sizes of its image and of the content."""
    image = np.clip(style.image, 0, 1)
    mask = _sized(style.mask, (image.shape[0], image.shape[1]))
    return style._replace(image=image, mask=mask, content_mask=_sized(style.content_mask, size))


def _sized(mask: Mask | None, size: tuple[int, int]) -> np.ndarray | None:
    return None if mask is None else images.resize_mask(mask, size)


def _check_regions(regions: Sequence[Mask | None]) -> None:
    for number, region in enumerate(regions, 1):
        if region is not None and not np.any(region):
            raise InputError(
                f"the region of style {number} has no pixel that is not kept: leave out the style, or keep less"
            )


def _rest(keep: Mask | None, extractor: Network) -> Mapping[str, Mask | None]:
    layers = (COSINE_LAYER, CFSD_LAYER)
    if keep is None:
        return dict.fromkeys(("image", *layers))
    rest = 1 - np.asarray(keep, np.float32)
    return {"image": rest} | masks.to_layers(rest, extractor, layers)


def _layers(groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(layer for group in groups.values() for layer in group)


def _as_regions(image: Image, regions: Sequence[Mask | None], measured: Measured) -> list[Region]:
    return [Region(image, mask, moments) for mask, moments in zip(regions, measured.moments, strict=True)]


def _faults(image: Image, style: Image) -> dict[str, float]:
    """Return the faults by comparison with the only style."""
    x, target = texture.luminance(image), texture.luminance(style)
    return {"mesh": texture.mesh(x, target), "spectrum": texture.spectrum(x, target)}
