"""Every function of `nst` is checked against its annotated shapes while the tests run."""

import os

from jaxtyping import install_import_hook

install_import_hook("nst", "beartype.beartype")

# JAX reads it when it is imported, here and in the processes that tests start: the user's own cache stays as it is.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "0"
