"""What a network's weights expect of a picture. Mixing two of them gives features that only look right."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from nst.errors import unknown


class Preprocessing(NamedTuple):
    """What weights expect of a picture: `(image[..., order] * scale - mean) / std`.

    `mean` and `std` are in the network's own channel order and apply after `scale`.
    """

    order: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


#: The original training: BGR in 0-255, less the mean colour of its pictures.
CAFFE = Preprocessing("BGR", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))

#: torchvision's own training: RGB in 0-1, standardised.
TORCHVISION = Preprocessing("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

PREPROCESSINGS = {"caffe": CAFFE, "torchvision": TORCHVISION}


def named(name: str) -> Preprocessing:
    """The preprocessing of that name; InputError if there is none."""
    if name not in PREPROCESSINGS:
        raise unknown("preprocessing", name, PREPROCESSINGS)
    return PREPROCESSINGS[name]


def name_of(preprocessing: Preprocessing) -> str:
    """Its name in `PREPROCESSINGS`, or its order, which is all that fits in a line."""
    names = [name for name, known in PREPROCESSINGS.items() if known == preprocessing]
    return names[0] if names else f"one of its own ({preprocessing.order})"


def parse(fields: Mapping[str, Any]) -> Preprocessing:
    """A preprocessing out of a file's metadata; ValueError if it is not one."""
    numbers = [float(fields["scale"]), *map(float, fields["mean"]), *map(float, fields["std"])]
    if fields["order"] not in ("RGB", "BGR") or len(numbers) != 7:
        raise ValueError(f"a preprocessing with the order {fields['order']!r}")
    scale, m0, m1, m2, s0, s1, s2 = numbers
    if not all(map(math.isfinite, numbers)) or min(scale, s0, s1, s2) <= 0:
        raise ValueError("a preprocessing that divides by zero or is not finite")
    return Preprocessing(fields["order"], scale, (m0, m1, m2), (s0, s1, s2))
