"""The optimizers by name: optax transformations, each made once."""

import functools
from collections.abc import Callable, Collection
from typing import NamedTuple

import jax
import optax

from nst.averaging import average_iterates, keep_in_box
from nst.errors import InputError, unknown
from nst.lbfgs import scale_by_lbfgs
from nst.pyramid import smooth

_MEMORY_SIZE = 50
# 2 takes a few steps more, 4 too; from 6 on the first steps diverge (docs/archive/optimizers.md).
_STRETCH = 3.0


@functools.cache
def adam() -> optax.GradientTransformation:
    """Adam (Kingma and Ba, ICLR 2015) as optax has it."""
    return optax.inject_hyperparams(optax.adam)(learning_rate=OPTIMIZERS["adam"].learning_rate)


@functools.cache
def adam_average() -> optax.GradientTransformation:
    """Adam within [0, 1], and the average of its iterates as the result (crowsonkb, style-transfer-pytorch)."""

    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        descent = optax.adam(learning_rate, b1=0.9, b2=0.99)
        return optax.chain(descent, keep_in_box(0.0, 1.0), average_iterates(0.99))

    return optax.inject_hyperparams(descend)(learning_rate=OPTIMIZERS["adam_average"].learning_rate)


@functools.cache
def rmsprop() -> optax.GradientTransformation:
    """RMSprop (Hinton 2012), as Kolkin, Salavon and Shakhnarovich (CVPR 2019) use it, with PyTorch's constants."""

    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        return optax.rmsprop(learning_rate, decay=0.99, eps=1e-8, eps_in_sqrt=False)

    return optax.inject_hyperparams(descend)(learning_rate=OPTIMIZERS["rmsprop"].learning_rate)


@functools.cache
def lbfgs() -> optax.GradientTransformation:
    """L-BFGS without a line search: one loss and gradient a step. Its learning rate, 1, is the length of a step."""
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE))


@functools.cache
def lbfgs_pyramid() -> optax.GradientTransformation:
    """The same in a pyramid's coordinates: a quarter to a third fewer steps to a loss (docs/performance.md)."""
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE, initial=smooth, stretch=_STRETCH))


def _with_learning_rate(direction: optax.GradientTransformation) -> optax.GradientTransformation:
    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        return optax.chain(direction, optax.scale_by_learning_rate(learning_rate))

    return optax.inject_hyperparams(descend)(learning_rate=1.0)


class Optimizer(NamedTuple):
    """An optimizer by name.

    Attributes:
      make: Returns the transformation; the same one each time, so that what was compiled with it is found.
      learning_rate: The default.
      stochastic: Whether it tolerates a loss that is random at each step.
      image_only: Whether it takes the parameters for an image: in [0, 1], or smooth in two dimensions.
    """

    make: Callable[[], optax.GradientTransformation]
    learning_rate: float
    stochastic: bool = False
    image_only: bool = False


#: Optimizers by name. The learning rate is part of their state: another one never recompiles.
OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Optimizer(adam, 0.02, stochastic=True),
    "adam_average": Optimizer(adam_average, 0.02, stochastic=True, image_only=True),
    "rmsprop": Optimizer(rmsprop, 0.002, stochastic=True),
    "lbfgs": Optimizer(lbfgs, 1.0),
    "lbfgs_pyramid": Optimizer(lbfgs_pyramid, 1.0, image_only=True),
}


def named(name: str) -> Optimizer:
    """Return the entry of `OPTIMIZERS`; InputError if there is none of that name."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]


def optimizer(name: str, stochastic: Collection[str] = ()) -> optax.GradientTransformation:
    """Return the optimizer of that name.

    Args:
      name: One of `OPTIMIZERS`.
      stochastic: Names of the terms of the loss whose value is random at each step.

    Raises:
      InputError: The optimizer is unknown, or needs a loss that is not random.
    """
    chosen = named(name)
    if stochastic and not chosen.stochastic:
        usable = ", ".join(other for other, each in OPTIMIZERS.items() if each.stochastic)
        raise InputError(
            f"optimizer.name = {name} needs the same loss at each step and {', '.join(stochastic)} is random: "
            f"take {usable}"
        )
    return chosen.make()


@functools.cache
def batched(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Return the optimizer for parameters with a leading axis, each trial with a state of its own."""
    return optax.GradientTransformation(jax.vmap(optimizer.init), jax.vmap(optimizer.update))
