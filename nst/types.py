"""What the arrays are called. Shapes are checked by jaxtyping and beartype in the tests."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

Array = jax.Array | np.ndarray

#: A picture: RGB, sRGB-encoded, in [0, 1], without a batch axis. Sounds come as [1, frames, channels].
Image = Float[Array, "_ _ _"]

#: From layer name (`relu4_2`) to what the network computes there, `[h', w', c']`.
Features = dict[str, Float[Array, "_ _ _"]]

#: From layer name to the statistics that a style loss compares there (a pytree of its own choosing).
Statistics = dict[str, Any]

#: Where features count: 1 inside, 0 in a halo or a masked region, `[h', w']`.
Weight = Float[Array, "_ _"]

Scalar = Float[Array, ""]

#: One number, or one for each of several problems in lock-step.
Scalars = Float[Array, "..."]
