"""Checkpoints: any pytree of arrays in a file with its hash; the newest intact one is found again."""

import json
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from nst.errors import RunError
from nst.files import replacing, sha256, write_bytes

_KEPT = 2

# Beside the leaves' names, which begin with a dot or a bracket.
_FACTS = "facts"


class CheckpointWarning(UserWarning):
    """A checkpoint was damaged and the one before it is used."""


def write(folder: Path, step: int, tree: Any, facts: dict[str, Any]) -> None:
    """Keep `tree` as of `step`, and the one before.

    Args:
      folder: Where checkpoints lie.
      step: Orders them.
      tree: A pytree of arrays.
      facts: What else belongs to it, as JSON allows.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    # On a CPU these are views: the history of L-BFGS is most of what a run keeps.
    arrays = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
    arrays[_FACTS] = np.array(json.dumps(facts))
    path = folder / f"{step:08}.npz"
    with replacing(path) as beside:
        np.savez(beside, allow_pickle=False, **arrays)  # piece by piece: no copy of the whole
    # The hash is written last: a checkpoint without one was never finished.
    write_bytes(path.with_suffix(".sha256"), f"{sha256(path)}  {path.name}\n".encode())
    for old in _steps(folder)[:-_KEPT]:
        old.with_suffix(".sha256").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The facts and arrays of the newest intact checkpoint, or None where there is none.

    Raises:
      RunError: There are checkpoints, but none is intact.
    """
    candidates = _steps(folder)
    for path in reversed(candidates):
        if _intact(path):
            with np.load(path) as file:
                # Earlier versions spelled it in the other way.
                arrays = {name.replace(".optimiser", ".optimizer"): array for name, array in file.items()}
            return json.loads(str(arrays.pop(_FACTS))), arrays
        warnings.warn(f"{path} is damaged: the checkpoint before it is used", CheckpointWarning, stacklevel=2)
    if candidates:
        raise RunError(f"{folder}: no checkpoint is intact: start again in another --workdir")
    return None


def restore(like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The arrays in the structure of `like`, whose leaves have shapes and types.

    Raises:
      RunError: The checkpoint is not of this structure: another version wrote it.
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
