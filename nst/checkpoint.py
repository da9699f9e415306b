"""Checkpoints: any pytree of arrays in a file, with a hash, so that the newest intact one can be read."""

import json
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from nst.errors import RunError
from nst.files import replacing, sha256, write_bytes

_KEPT = 2

# The name of the facts among the arrays. Names of leaves begin with a dot or a bracket.
_FACTS = "facts"


class CheckpointWarning(UserWarning):
    """A checkpoint is damaged and the previous one is used."""


def write(folder: Path, step: int, tree: Any, facts: dict[str, Any]) -> None:
    """Write a checkpoint and remove all but the last two.

    Args:
      folder: The folder of the checkpoints.
      step: The step, by which checkpoints are ordered.
      tree: A pytree of arrays.
      facts: Other facts to store, as JSON values.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    # On a CPU these are views, not copies: the history of L-BFGS is most of a run's memory.
    arrays = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
    arrays[_FACTS] = np.array(json.dumps(facts))
    path = folder / f"{step:08}.npz"
    with replacing(path) as beside:
        np.savez(beside, allow_pickle=False, **arrays)  # array by array, without a copy of all
    # The hash is written last: a checkpoint without one was never finished.
    write_bytes(path.with_suffix(".sha256"), f"{sha256(path)}  {path.name}\n".encode())
    for old in _steps(folder)[:-_KEPT]:
        old.with_suffix(".sha256").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Return the facts and arrays of the newest intact checkpoint, or None if there is no checkpoint.

    Raises:
      RunError: There are checkpoints, but none is intact.
    """
    candidates = _steps(folder)
    for path in reversed(candidates):
        if _intact(path):
            with np.load(path) as file:
                arrays = {_now(name): array for name, array in file.items()}
            return json.loads(str(arrays.pop(_FACTS))), arrays
        warnings.warn(f"{path} is damaged: the previous checkpoint is used", CheckpointWarning, stacklevel=2)
    if candidates:
        raise RunError(f"{folder}: no checkpoint is intact: start again in another --workdir")
    return None


def restore(like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return the arrays in the structure of `like`, a pytree whose leaves have a `shape` and a `dtype`.

    Raises:
      RunError: An array is missing or has another shape or type, because another version wrote the checkpoint.
    """

    def leaf(path: Any, expected: Any) -> jax.Array:
        array = arrays.get(jax.tree_util.keystr(path))
        if array is None or (array.shape, array.dtype) != (expected.shape, expected.dtype):
            raise RunError(
                f"the checkpoint has no {jax.tree_util.keystr(path)} of shape {expected.shape}: "
                "another version wrote it; start again in another --workdir"
            )
        return jax.numpy.array(array)

    return jax.tree_util.tree_map_with_path(leaf, like)


def _steps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npz") if path.with_suffix(".sha256").exists())


def _intact(path: Path) -> bool:
    try:
        return path.with_suffix(".sha256").read_text().split()[0] == sha256(path)
    except (OSError, IndexError, UnicodeDecodeError):
        return False


def _now(name: str) -> str:
    """Return the present name of an array; earlier versions had others."""
    return name.replace(".optimiser", ".optimizer").replace(".kept", ".pairs")
