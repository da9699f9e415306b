"""3×3 convolutions with frozen filters: Winograd's F(4×4, 3×3), with filters transformed once.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016; the points are those of Barabasz,
Anderson, Soodhalter and Gregg, Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural
Networks, ACM TOMS 2020. A tile of 4×4 outputs takes 36 multiplications for each pair of channels instead of 144.
"""

import functools
import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.experimental.xla_metadata import set_xla_metadata

_OUT, _TAPS = 4, 3
_IN = _OUT + _TAPS - 1
_INFINITY = np.inf

# The points where the polynomials are evaluated. Of those tried, these have the smallest rounding error in float32 and
# in bfloat16, half that of 0, ±1, ±2, ∞. Their reciprocals, which the gradient needs, are the same numbers.
_POINTS = (0.0, 2 / 3, -2 / 3, 3 / 2, -3 / 2, _INFINITY)

# A matrix as a list of its columns.
_Matrix = Sequence[jax.Array | np.ndarray]

_EXACT = jax.lax.Precision.HIGHEST

#: Algorithms of convolution: `auto` uses `winograd` where it is faster (on a CPU, for wide layers).
CONVOLUTIONS = ("auto", "direct", "winograd")

# With fewer channels the transforms cost more than the products save (docs/archive/convolutions.md).
_WIDE = 64

# Tiles times channels of a strip: 512×384 pixels of 64 channels are two strips. The transformed input of a strip takes
# 54 MiB, its products as much. More strips take longer to compile.
_STRIP = 6144 * 64
_MOST_STRIPS = 4


def use_winograd(shape: tuple[int, ...]) -> bool:
    """Return whether `auto` uses `winograd` for filters of a shape `[3, 3, c, n]` on the current device."""
    return jax.default_backend() == "cpu" and min(shape[2:]) >= _WIDE


def _powers(points: tuple[float, ...], n: int) -> np.ndarray:
    """Return the row 1, p, p², … of each point p; at infinity only the last power is not 0."""
    at_infinity = np.eye(n)[n - 1]
    return np.stack([at_infinity if np.isinf(p) else p ** np.arange(n) for p in points])


def _transforms(points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return Aᵀ `[4, 6]` and Bᵀ `[6, 6]` of y = Aᵀ (G g ⊙ Bᵀ d) with G = `_powers(points, 3)` (Toom and Cook)."""
    return _powers(points, _OUT).T, np.linalg.inv(_powers(points, _IN)).T


@jax.jit
def transform(kernel: jax.Array) -> jax.Array:
    """Transform filters `[3, 3, c, n]` to `[36, c, n]`: G g Gᵀ of each."""
    G = _powers(_POINTS, _TAPS)
    both = jnp.asarray(np.kron(G, G), jnp.float32)
    transformed = jnp.matmul(both, kernel.reshape(_TAPS**2, -1), precision=_EXACT)
    return transformed.reshape(_IN**2, *kernel.shape[2:])


@partial(jax.jit, static_argnums=1)
def formed(kernels: list[jax.Array], forms: tuple[tuple[bool, bool], ...]) -> list[jax.Array]:
    """Return the filters of several layers in the form that convolutions use, converted by one program.

    Args:
      kernels: The filters `[3, 3, c, n]` of each layer.
      forms: For each layer, whether to transform the filters, to `[36, c, n]`, and whether to round them to bfloat16.
    """

    def form(kernel: jax.Array, transformed: bool, rounded: bool) -> jax.Array:
        filters = transform(kernel) if transformed else kernel
        return filters.astype(jnp.bfloat16) if rounded else filters

    return [form(kernel, *flags) for kernel, flags in zip(kernels, forms, strict=True)]


def direct(x: jax.Array, kernel: jax.Array, padding: int) -> jax.Array:
    """Return the convolution (cross-correlation) of `x` `[h, w, c]`, padded with zeros, with filters `[3, 3, c, n]`."""
    dimensions = ("NHWC", "HWIO", "NHWC")
    around = [(padding, padding)] * 2
    y = jax.lax.conv_general_dilated(
        x[None].astype(kernel.dtype), kernel, (1, 1), around, dimension_numbers=dimensions, precision=_EXACT
    )
    return y[0].astype(x.dtype)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def winograd(x: jax.Array, filters: jax.Array, padding: int) -> jax.Array:
    """Return the result of `direct` from transformed filters. They are frozen: only `x` gets a gradient.

    Args:
      x: `[h, w, c]`.
      filters: `[36, c, n]`, from `transform`.
      padding: Zeros on each side: 0, 1 or 2.

    Returns:
      `[h + 2 · padding − 2, w + 2 · padding − 2, n]`.
    """
    return _tiled(x, filters, padding, _POINTS, 1, "ptc,pcn->ptn")


def _forward(x: jax.Array, filters: jax.Array, padding: int) -> tuple[jax.Array, jax.Array]:
    return _tiled(x, filters, padding, _POINTS, 1, "ptc,pcn->ptn"), filters


def _backward(padding: int, filters: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the gradient of `x`: `gradient` convolved with the filters rotated by 180°, with swapped channels.

    The transformed filters serve for this, too. Rotating a filter reverses the coefficients of its polynomial, and the
    value of the reversed polynomial at q = 1/p is q² times the value of the original one at p. So the points are the
    reciprocals, and q² goes into Aᵀ (at 0 and infinity the factor is 1).
    """
    with np.errstate(divide="ignore"):
        points = 1 / np.array(_POINTS)
    finite = np.isfinite(points) & (points != 0)
    factor = np.where(finite, np.where(finite, points, 1) ** 2, 1)
    x = _tiled(gradient, filters, _TAPS - 1 - padding, tuple(points.tolist()), factor, "ptn,pcn->ptc")
    return x, jnp.zeros_like(filters)


winograd.defvjp(_forward, _backward)


def _tiled(
    x: jax.Array,
    filters: jax.Array,
    padding: int,
    points: tuple[float, ...],
    factor: np.ndarray | int,
    product: str,
) -> jax.Array:
    """Cut `x` into overlapping tiles, transform, multiply, transform back and join; a large `x` in strips."""
    height, width = (n + 2 * padding - _TAPS + 1 for n in x.shape[:2])
    down, across = -(-height // _OUT), -(-width // _OUT)
    count = min(-(-down * across * max(filters.shape[1:]) // _STRIP), _MOST_STRIPS, down)
    ends = [down * i // count for i in range(count + 1)]
    right = _OUT * across + _TAPS - 1 - x.shape[1] - padding
    strips: list[jax.Array] = []
    for begin, end in itertools.pairwise(ends):
        top, bottom = _OUT * begin - padding, _OUT * end + _TAPS - 1 - padding
        part = x[max(top, 0) : bottom]
        # Make each strip depend on the last one: XLA would compute all at once, in as much memory as without strips.
        if strips:
            part += 0 * strips[-1][0, 0, 0]
        pads = (max(-top, 0), max(bottom - x.shape[0], 0)), (padding, right)
        tiles = end - begin, across
        with _traced_once():
            strips.append(_strip(part, filters, pads, tiles, points, factor, product))
    return jnp.concatenate(strips)[:height, :width]


def _strip(
    x: jax.Array,
    filters: jax.Array,
    pads: tuple[tuple[int, int], ...],
    tiles: tuple[int, int],
    points: tuple[float, ...],
    factor: np.ndarray | int,
    product: str,
) -> jax.Array:
    """Convolve some rows of tiles; `pads` are the zeros to add above and below, left and right of `x`."""
    down, across = tiles
    A, B = _transforms(points)
    A, B = _by_column(A * factor), _by_column(B)
    # Not inlined: XLA would fuse each of these calls into its consumer, and so compute every value six times.
    with set_xla_metadata(inlineable="false"):
        z = _columns(_rows(_pad(x, pads), B, down), B, across, filters.dtype)
    transformed = z.reshape(_IN**2, down * across, -1)
    products = jnp.einsum(
        product, transformed, filters, precision=_EXACT, preferred_element_type=jnp.float32
    )  # summed in float32, also for bfloat16 filters
    with set_xla_metadata(inlineable="false"):
        y = _across(products.reshape(_IN, _IN, down, across, -1), A)
    return _down(y, A)


def _traced_once() -> AbstractContextManager[None]:
    """Make the forward and the backward pass share traces of the functions below, one for each shape.

    A network has many layers of one shape. JAX traces a gradient under the mesh of its values, which is empty, and
    everything else without a mesh, and its cache tells these apart. So the mesh is always set. The matrices are
    arguments of the functions below, because the two passes differ only in them.
    """
    return jax.sharding.use_abstract_mesh(jax.sharding.get_abstract_mesh())


@partial(jax.jit, static_argnums=1)
def _pad(x: jax.Array, pads: tuple[tuple[int, int], ...]) -> jax.Array:
    return jax.lax.pad(x, jnp.zeros((), x.dtype), [(*sides, 0) for sides in (*pads, (0, 0))])


@partial(jax.jit, static_argnums=2)
def _rows(x: jax.Array, B: _Matrix, tiles: int) -> jax.Array:
    """Return Bᵀ d of the overlapping `tiles` along the height of `[h, w, c]`, as `[tiles, 6, w, c]`.

    With this order of axes a loop over the result finds its inputs in the CPU's cache, and so does `_columns`.
    """
    return _combined(x, B, tiles, axis=0, new=1)


@partial(jax.jit, static_argnums=(2, 3))
def _columns(x: jax.Array, B: _Matrix, tiles: int, dtype: np.dtype) -> jax.Array:
    """Return Bᵀ d along the width of `[down, 6, w, c]`, as `[6, 6, down, tiles, c]`, rows first."""
    return _combined(x.swapaxes(0, 1), B, tiles, axis=2, new=1).astype(dtype)


@jax.jit
def _across(products: jax.Array, A: _Matrix) -> jax.Array:
    """Return Aᵀ m of the products `[6, 6, down, across, c]` along the second axis, as `[6, down, across, 4, c]`.

    The four values of a tile are adjacent in memory, so that their inputs are read once.
    """
    return _weighted(A, [products[:, k] for k in range(_IN)], new=3)


@jax.jit
def _down(y: jax.Array, A: _Matrix) -> jax.Array:
    """Return Aᵀ m along the first axis of `[6, down, across, 4, c]`, as `[4 · down, 4 · across, c]`."""
    tiles = _weighted(A, list(y), new=1)
    return tiles.reshape(_OUT * y.shape[1], _OUT * y.shape[2], -1)


def _combined(x: jax.Array, B: _Matrix, tiles: int, *, axis: int, new: int) -> jax.Array:
    """Return Bᵀ d of the overlapping `tiles` along `axis`, its 6 values as the axis `new`."""
    step = partial(jax.lax.slice_in_dim, x, stride=_OUT, axis=axis)
    terms = [step(j, j + _OUT * (tiles - 1) + 1) for j in range(_IN)]
    return _weighted(B, terms, new)


def _by_column(matrix: np.ndarray) -> _Matrix:
    return list(matrix.T.astype(np.float32))


def _weighted(matrix: _Matrix, terms: Sequence[jax.Array], new: int) -> jax.Array:
    """Multiply a matrix `[rows, 6]` by six `terms` of one shape; its rows become the axis `new` of the result."""
    shape = (*terms[0].shape[:new], len(matrix[0]), *terms[0].shape[new:])
    others = [i for i in range(len(shape)) if i != new]

    # `lax`, not `jnp`, which takes three times as long to trace: a network has thousands of these sums.
    def product(column: jax.Array | np.ndarray, term: jax.Array) -> jax.Array:
        weights = jax.lax.broadcast_in_dim(column, shape, [new])
        return jax.lax.mul(weights, jax.lax.broadcast_in_dim(term, shape, others))

    return functools.reduce(jax.lax.add, map(product, matrix, terms))


class Convolution(nnx.Module):
    """A 3×3 convolution.

    Attributes:
      kernel: Filters `[3, 3, c, n]`; None once `frozen` replaces them.
      bias: `[n]`.
      frozen: Transformed filters `[36, c, n]`, or None.
      rounded: The filters that `change` uses, in bfloat16, transformed or not; None if it is not used.
    """

    def __init__(self, inputs: int, outputs: int):
        self.inputs, self.outputs = inputs, outputs
        self.kernel: Any = nnx.Param(jnp.zeros((3, 3, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.frozen: Any = nnx.data(None)
        self.rounded: Any = nnx.data(None)

    def __call__(self, x: jax.Array, padding: int = 0) -> jax.Array:
        """Convolve `[h, w, c]`, padded with zeros, to `[h + 2 · padding − 2, w + 2 · padding − 2, n]`."""
        return _convolve(x, self.kernel if self.frozen is None else self.frozen, padding) + self.bias[...]

    def change(self, dx: jax.Array, padding: int = 0) -> jax.Array:
        """Return the change of the output for a change `dx` of the input, computed with bfloat16 products."""
        return _convolve(dx, self.rounded, padding)


def _convolve(x: jax.Array, filters: Any, padding: int) -> jax.Array:
    transformed = filters.ndim == 3
    return (winograd if transformed else direct)(x, filters[...], padding)
