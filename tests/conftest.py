"""Every function of `nst` is checked against its annotated shapes while the tests run."""

from jaxtyping import install_import_hook

install_import_hook("nst", "beartype.beartype")
