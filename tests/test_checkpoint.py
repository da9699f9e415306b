"""Checkpoints: a flipped bit anywhere is detected, and the previous one is used."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst import checkpoint
from nst.errors import RunError


def tree(x):
    return {"a": jnp.full((3, 2), x), "b": (jnp.int32(x), jnp.bool_(True))}


@pytest.fixture
def folder(tmp_path):
    for step in (1, 2, 3):
        checkpoint.write(tmp_path, step, tree(float(step)), {"step": step})
    return tmp_path


def test_round_trip_and_only_two_are_kept(folder):
    facts, arrays = checkpoint.read(folder)
    assert facts == {"step": 3}
    restored = checkpoint.restore(jax.eval_shape(lambda: tree(0.0)), arrays)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), restored, tree(3.0)))
    assert len(list(folder.glob("*.npz"))) == 2


@pytest.mark.parametrize("place", np.linspace(0, 1, 9, endpoint=False))
def test_a_flipped_bit_is_detected(folder, place):
    newest = folder / "00000003.npz"
    content = bytearray(newest.read_bytes())
    content[int(place * len(content))] ^= 4
    newest.write_bytes(content)
    with pytest.warns(checkpoint.CheckpointWarning, match="damaged"):
        facts, _ = checkpoint.read(folder)
    assert facts == {"step": 2}


def test_damage_to_all_checkpoints_is_an_error(folder):
    for path in folder.glob("*.npz"):
        path.write_bytes(b"")
    with pytest.warns(checkpoint.CheckpointWarning), pytest.raises(RunError, match="no checkpoint is intact"):
        checkpoint.read(folder)


def test_another_structure_is_refused(folder):
    _, arrays = checkpoint.read(folder)
    with pytest.raises(RunError, match="another version"):
        checkpoint.restore({"a": jax.ShapeDtypeStruct((4, 2), jnp.float32)}, arrays)


def test_an_absent_folder_has_no_checkpoint(tmp_path):
    assert checkpoint.read(tmp_path / "absent") is None


def test_checkpoints_with_former_names_are_read(tmp_path):
    class Before(NamedTuple):
        optimiser: Any
        kept: Any

    class Now(NamedTuple):
        optimizer: Any
        pairs: Any

    checkpoint.write(tmp_path, 1, (Before({"rate": jnp.float32(0.5)}, jnp.int32(3)), None), {})
    _, arrays = checkpoint.read(tmp_path)
    restored, _ = checkpoint.restore((Now({"rate": jnp.float32(0)}, jnp.int32(0)), None), arrays)
    assert restored.optimizer["rate"] == 0.5
    assert restored.pairs == 3
