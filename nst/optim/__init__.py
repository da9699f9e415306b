"""Optimizers by name: optax transformations, each built once."""

import functools
from collections.abc import Callable, Collection
from typing import NamedTuple

import jax
import optax

from nst.errors import InputError, unknown
from nst.optim.averaging import average_iterates, keep_in_box
from nst.optim.lbfgs import scale_by_lbfgs
from nst.optim.preconditioner import smooth

_MEMORY_SIZE = 50
# The argument `stretch` of `scale_by_lbfgs`. With 2 and 4 runs take a few steps more; from 6 on the first steps diverge
# (docs/archive/optimizers.md).
_STRETCH = 3.0


@functools.cache
def adam() -> optax.GradientTransformation:
    """Return Adam (Kingma and Ba, ICLR 2015) with the defaults of optax."""
    return optax.inject_hyperparams(optax.adam)(learning_rate=OPTIMIZERS["adam"].learning_rate)


@functools.cache
def adam_average() -> optax.GradientTransformation:
    """Return Adam within [0, 1], with the average of its iterates as the result (crowsonkb, style-transfer-pytorch)."""

    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        descent = optax.adam(learning_rate, b1=0.9, b2=0.99)
        return optax.chain(descent, keep_in_box(0.0, 1.0), average_iterates(0.99))

    return optax.inject_hyperparams(descend)(learning_rate=OPTIMIZERS["adam_average"].learning_rate)


@functools.cache
def rmsprop() -> optax.GradientTransformation:
    """Return RMSprop (Hinton 2012) with PyTorch's constants, as in Kolkin, Salavon and Shakhnarovich (CVPR 2019)."""

    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        return optax.rmsprop(learning_rate, decay=0.99, eps=1e-8, eps_in_sqrt=False)

    return optax.inject_hyperparams(descend)(learning_rate=OPTIMIZERS["rmsprop"].learning_rate)


@functools.cache
def lbfgs() -> optax.GradientTransformation:
    """Return L-BFGS without a line search: one loss and gradient a step. The learning rate scales a step."""
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE))


@functools.cache
def lbfgs_pyramid() -> optax.GradientTransformation:
    """Return L-BFGS in the coordinates of an image pyramid, by the preconditioner `smooth`.

    It takes a quarter to a third fewer steps than `lbfgs` (docs/performance.md).
    """
    return _with_learning_rate(scale_by_lbfgs(_MEMORY_SIZE, initial=smooth, stretch=_STRETCH))


def _with_learning_rate(direction: optax.GradientTransformation) -> optax.GradientTransformation:
    def descend(learning_rate: float | jax.Array) -> optax.GradientTransformation:
        return optax.chain(direction, optax.scale_by_learning_rate(learning_rate))

    return optax.inject_hyperparams(descend)(learning_rate=1.0)


class Optimizer(NamedTuple):
    """An entry of `OPTIMIZERS`.

    Attributes:
      make: Returns the transformation, the same one each time, so that functions compiled with it are reused.
      learning_rate: The default learning rate.
      stochastic: Whether it tolerates a loss that is random at each step.
      image_only: Whether it assumes that the parameters are an image: in [0, 1], or smooth in two dimensions.
    """

    make: Callable[[], optax.GradientTransformation]
    learning_rate: float
    stochastic: bool = False
    image_only: bool = False


#: Optimizers by name. The learning rate is part of their state: another one does not recompile.
OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Optimizer(adam, 0.02, stochastic=True),
    "adam_average": Optimizer(adam_average, 0.02, stochastic=True, image_only=True),
    "rmsprop": Optimizer(rmsprop, 0.002, stochastic=True),
    "lbfgs": Optimizer(lbfgs, 1.0),
    "lbfgs_pyramid": Optimizer(lbfgs_pyramid, 1.0, image_only=True),
}


def named(name: str) -> Optimizer:
    """Return an entry of `OPTIMIZERS`; raise InputError if the name is unknown."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]


def optimizer(name: str, stochastic: Collection[str] = ()) -> optax.GradientTransformation:
    """Return an optimizer by name.

    Args:
      name: One of `OPTIMIZERS`.
      stochastic: Names of the terms of the loss that are random at each step.

    Raises:
      InputError: The optimizer is unknown, or does not tolerate random terms.
    """
    chosen = named(name)
    if stochastic and not chosen.stochastic:
        usable = ", ".join(other for other, each in OPTIMIZERS.items() if each.stochastic)
        raise InputError(
            f"optimizer.name = {name} needs the same loss at each step, but the loss is random "
            f"(terms: {', '.join(stochastic)}): take {usable}"
        )
    return chosen.make()


@functools.cache
def batched(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Return the optimizer for parameters with a leading axis of trials, each with a state of its own."""
    return optax.GradientTransformation(jax.vmap(optimizer.init), jax.vmap(optimizer.update))
