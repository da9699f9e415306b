"""Reading of weight files of any format, and their conversion to ported files."""

import shlex
from pathlib import Path

from nst.errors import InputError
from nst.features.weights import formats, naming, ported, sources
from nst.features.weights.entries import refusing
from nst.features.weights.network import Weights
from nst.features.weights.preprocessing import Preprocessing, name_of
from nst.files import sha256

_UNKNOWN_LICENCE = "not known: ask whoever the file is from"


def read(path: Path, claimed: Preprocessing | None = None) -> Weights:
    """Read weights from a file of any known format and naming.

    Args:
      path: The file; it is not changed.
      claimed: The preprocessing of the weights according to the user.

    Returns:
      Weights with an empty `sha256`, which only a ported file has.

    Raises:
      InputError: The file is not a weight file, damaged, or of an unknown network or preprocessing.
    """
    with refusing(path):
        origin = _origin(path)
        scheme, network, layers = naming.recognise(formats.entries(path), origin and origin.network)
        preprocessing = _preprocessing(path, claimed, origin and origin.preprocessing, scheme)
        parameters = naming.parameters(scheme, network, layers)
    source, licence = (origin.source, origin.licence) if origin else (path.name, _UNKNOWN_LICENCE)
    return Weights(parameters, preprocessing, source, licence, "", network)


def port(path: Path, target: Path, claimed: Preprocessing | None = None) -> None:
    """Read a weight file and write it as a ported file."""
    ported.write(target, read(path, claimed), sha256(path))


def _origin(path: Path) -> ported.Origin | None:
    """Return the origin of a file: its own if it is ported, else that of the source with its hash, or None."""
    if formats.is_safetensors(path):
        return ported.origin(path)
    if match := sources.by_hash(path):
        name, source = match
        return ported.Origin(name, source.licence, source.preprocessing, "", source.network)
    return None


def _preprocessing(
    path: Path, claimed: Preprocessing | None, known: Preprocessing | None, scheme: naming.Scheme
) -> Preprocessing:
    if claimed and known and claimed != known:
        raise InputError(
            f"{path}: its weights are known to expect the preprocessing {name_of(known)}, "
            f"not {name_of(claimed)}: leave --preprocessing out"
        )
    if decided := known or claimed or scheme.preprocessing:
        return decided
    raise InputError(
        f"{path}: does not say which preprocessing it expects: run nst weights convert "
        f"{shlex.quote(str(path))} OUT.safetensors --preprocessing caffe (BGR 0-255, the original weights) "
        f"or torchvision (RGB 0-1), and use OUT.safetensors"
    )
