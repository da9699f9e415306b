"""`import nst` is quick and changes nothing; its entries are there when they are used."""

import subprocess
import sys

import pytest

import nst

PROGRAM = """
import os, sys
before = dict(os.environ)
import nst
assert dict(os.environ) == before
assert "jax" not in sys.modules
assert set(nst.__all__) <= set(dir(nst))
assert callable(nst.stylize) and callable(nst.stylize_audio) and callable(nst.images.read)
from nst import audio, features
"""


def test_importing_sets_no_environment_variable_and_imports_no_jax():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


def test_an_unknown_entry_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nst' has no attribute 'styliez'"):
        nst.styliez  # noqa: B018
