"""The preprocessing of images that weights expect. With the wrong one, features look plausible but are wrong."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from nst.errors import unknown


class Preprocessing(NamedTuple):
    """The preprocessing of an image: `(image[..., order] * scale - mean) / std`.

    `mean` and `std` are in the network's own channel order and apply after `scale`.
    """

    order: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


#: The original training: BGR in 0-255, minus the mean color of its images.
CAFFE = Preprocessing("BGR", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))

#: torchvision's own training: RGB in 0-1, standardized.
TORCHVISION = Preprocessing("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

PREPROCESSINGS = {"caffe": CAFFE, "torchvision": TORCHVISION}


def named(name: str) -> Preprocessing:
    """Return a preprocessing by name; raise InputError if there is none."""
    if name not in PREPROCESSINGS:
        raise unknown("preprocessing", name, PREPROCESSINGS)
    return PREPROCESSINGS[name]


def name_of(preprocessing: Preprocessing) -> str:
    """Return the name of a preprocessing in `PREPROCESSINGS`; for another one, a text with its order of channels."""
    names = [name for name, known in PREPROCESSINGS.items() if known == preprocessing]
    return names[0] if names else f"one of its own ({preprocessing.order})"


def parse(fields: Mapping[str, Any]) -> Preprocessing:
    """Return the preprocessing in the metadata of a file; raise ValueError if it is invalid."""
    numbers = [float(fields["scale"]), *map(float, fields["mean"]), *map(float, fields["std"])]
    if fields["order"] not in ("RGB", "BGR") or len(numbers) != 7:
        raise ValueError(f"a preprocessing with the order {fields['order']!r}")
    scale, m0, m1, m2, s0, s1, s2 = numbers
    if not all(map(math.isfinite, numbers)) or min(scale, s0, s1, s2) <= 0:
        raise ValueError("a preprocessing that divides by zero or is not finite")
    return Preprocessing(fields["order"], scale, (m0, m1, m2), (s0, s1, s2))
