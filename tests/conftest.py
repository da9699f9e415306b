"""Every function of `nst` is checked against its annotated shapes while the tests run."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("nst", "beartype.beartype")

# JAX reads it when it is imported, here and in the processes that tests start: the user's own cache stays as it is.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "0"

# Most of a test is compiling: without optimizations a third sooner. The slow tests and `.ci/numeric` set it to 0.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

from nst import process  # noqa: E402

# As the scripts do: where there is a GPU, two runs are compared by their bytes, too.
process.repeat_on_gpus()

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.fixture(scope="session")
def cache_of_sets(tmp_path_factory):
    """A cache folder with the project's own data sets."""
    from nst import data

    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_CACHE_DIR", str(cache))
        for name in data.OURS:
            data.prepare(name)
    return cache


@pytest.fixture
def sets(cache_of_sets, monkeypatch):
    """Found while a test runs."""
    monkeypatch.setenv("NST_CACHE_DIR", str(cache_of_sets))


@pytest.fixture(scope="session")
def planned():
    """`planned(name, variant)`: the plan of a config's sweep; `planned.config(name)` is its module."""
    from nst.config.file import load_file
    from nst.sweep import plan

    def config(name):
        return load_file(CONFIGS / f"{name}.py")

    def planned(name, variant):
        module = config(name)
        return plan.make(module.get_config(variant), module.sweep(variant))

    planned.config = config
    return planned


@pytest.fixture(scope="session")
def pointwise():
    """A network of one pixel for each position, whose programs compile in a moment."""
    from tests.pointwise import Pointwise

    return Pointwise()
