"""From anybody's file of weights to ours."""

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
    """Read weights from a file of any format and naming that is known.

    Args:
      path: The file; it is not changed.
      claimed: The preprocessing that the user says belongs to the weights.

    Returns:
      Weights whose `sha256` is empty: it is that of a ported file.

    Raises:
      InputError: Not a weight file, damaged, or of a network or preprocessing that is not known.
    """
    with refusing(path):
        origin = _origin(path)
        scheme, network, layers = naming.recognise(formats.entries(path), origin and origin.network)
        preprocessing = _preprocessing(path, claimed, origin and origin.preprocessing, scheme)
        parameters = naming.parameters(scheme, network, layers)
    source, licence = (origin.source, origin.licence) if origin else (path.name, _UNKNOWN_LICENCE)
    return Weights(parameters, preprocessing, source, licence, "", network)


def port(path: Path, target: Path, claimed: Preprocessing | None = None) -> None:
    """Read a file and write it as one of ours."""
    ported.write(target, read(path, claimed), sha256(path))


def _origin(path: Path) -> ported.Origin | None:
    """What is known about a file: from itself if it is one of ours, else from its hash."""
    if formats.is_safetensors(path):
        return ported.origin(path)
    if known := sources.by_hash(path):
        name, source = known
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
        f"{path}: does not say which preprocessing it expects: run scripts/weights.py convert "
        f"{shlex.quote(str(path))} OUT.safetensors --preprocessing caffe (BGR 0-255, the original weights) "
        f"or torchvision (RGB 0-1), and use OUT.safetensors"
    )
