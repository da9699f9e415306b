"""Sample images by name: from scikit-image, Matplotlib and nst itself; four classics are fetched on first use."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nst.errors import InputError
from nst.files import cache_dir, download, make_once, replacing, sha256, usable, user_path

#: The address of the classics: at one commit, so that their bytes never change.
BASE = (
    "https://raw.githubusercontent.com/jcjohnson/neural-style/"
    "07c4b8299f8fbdafec0c514fc820ff1d7ff62e46/examples/inputs/"
)

_OURS = "drawn by nst, Apache-2.0"
_PAINTINGS = Path(__file__).parent / "paintings"


class Sample(NamedTuple):
    """An image with a name.

    Attributes:
      file: The name of the file.
      what: What the image shows.
      credit: The author and the license.
      find: `find(sample)` gives the path of the file, which may not exist yet.
      sha256: The SHA-256 of a file that is fetched; None for others.
    """

    file: str
    what: str
    credit: str
    find: Callable[["Sample"], Path]
    sha256: str | None = None


def in_scikit_image(file: str) -> Path:
    """Return the path of an image of scikit-image."""
    return _in_package("scikit-image", "skimage", "data", file)


def _in_package(name: str, module: str, folder: str, file: str) -> Path:
    # Located without an import of the package, which takes a second.
    package = importlib.util.find_spec(module)
    if package is None or not package.submodule_search_locations:
        raise InputError(f"{file} is part of {name}, which is not installed: pip install {name}")
    return Path(package.submodule_search_locations[0], folder, file)


def _in_scikit_image(sample: Sample) -> Path:
    return in_scikit_image(sample.file)


def _in_matplotlib(sample: Sample) -> Path:
    return _in_package("matplotlib", "matplotlib", "mpl-data/sample_data", sample.file)


def _in_this_package(sample: Sample) -> Path:
    return _PAINTINGS / sample.file


def _in_the_cache(sample: Sample) -> Path:
    return cache_dir() / "samples" / sample.file


#: The samples by name.
SAMPLES: dict[str, Sample] = {
    "astronaut": Sample(
        "astronaut.png", "portrait of Eileen Collins", "NASA, public domain", _in_scikit_image
    ),
    "coffee": Sample("coffee.png", "a cup of coffee", "Rachel Michetti, CC0", _in_scikit_image),
    "chelsea": Sample("chelsea.png", "a cat", "Stéfan van der Walt, CC0", _in_scikit_image),
    "rocket": Sample("rocket.jpg", "launch of a Falcon 9", "SpaceX, public domain", _in_scikit_image),
    "grace_hopper": Sample(
        "grace_hopper.jpg", "portrait of Grace Hopper", "US Navy, public domain", _in_matplotlib
    ),
    "strokes": Sample(
        "strokes.jpg", "a windy coast in curved strokes of thick paint", _OURS, _in_this_package
    ),
    "panes": Sample("panes.jpg", "a valley in flat colors with dark outlines", _OURS, _in_this_package),
    "hatching": Sample("hatching.jpg", "a mountain lake in pen hatching", _OURS, _in_this_package),
    "tubingen": Sample(
        "tubingen.jpg",
        "photograph of the Neckarfront in Tübingen",
        "Andreas Praefcke, free license with credit",
        _in_the_cache,
        sha256="e67d1869f01fd805385c681a80d9ebcf0f70ea4a5fe6127f0606bb1c7f4bf506",
    ),
    "starry_night": Sample(
        "starry_night.jpg",
        "The Starry Night, 1889",
        "Vincent van Gogh, public domain",
        _in_the_cache,
        sha256="0592ab0f7b51b3ce72608a95e53880bd93971e5b48f93a0ce8dfd3cbccf3d098",
    ),
    "shipwreck": Sample(
        "shipwreck.jpg",
        "The Shipwreck of the Minotaur, c. 1810",
        "J. M. W. Turner, public domain",
        _in_the_cache,
        sha256="4f7cf34e3cd4a5daaf3f421f059ca9a01aaa2a3afd7243d6670c9c8bc001a213",
    ),
    "the_scream": Sample(
        "the_scream.jpg",
        "The Scream, 1893",
        "Edvard Munch, public domain",
        _in_the_cache,
        sha256="f3075cddeb974a9ee1d6418f7f33fd05185a7ac7dcb4288bd2805d499a9dcaee",
    ),
}

NAMES: tuple[str, ...] = tuple(SAMPLES)


def locate(name: str) -> Path | None:
    """Return the file of a sample, fetched if it is not cached; None if `name` is not a sample.

    Raises:
      InputError: The file is absent and can't be fetched, or its hash is not that of the sample.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        return None
    path = sample.find(sample)
    if sample.sha256:
        with usable(path):
            make_once(path, lambda: _fetch(sample, path))
            _check(path, sample.sha256)
    elif not path.is_file():
        raise InputError(
            f"{path}: the sample {name} is missing: reinstall the package, or give the path of an image"
        )
    return path


def add(path: Path | str) -> Path:
    """Copy a file into the cache as the sample that has its SHA-256, whatever the file is called.

    Returns:
      The path of the copy.

    Raises:
      InputError: The file can't be read, or is not one of the samples that are fetched.
    """
    path = user_path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file that can be read")
    try:
        digest = sha256(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}: give a file that can be read") from error
    for sample in SAMPLES.values():
        if sample.sha256 == digest:
            return _copy(path, sample.find(sample))
    fetched = ", ".join(sample.file for sample in SAMPLES.values() if sample.sha256)
    raise InputError(f"{path}: SHA-256 {digest} is that of none of {fetched}: get the file from {BASE}")


def _fetch(sample: Sample, path: Path) -> None:
    assert sample.sha256
    otherwise = f"offline, get {sample.file} elsewhere and add it with nst samples add FILE"
    download(BASE + sample.file, path, expected_sha256=sample.sha256, otherwise=otherwise)


def _check(path: Path, expected: str) -> None:
    actual = sha256(path)
    if actual != expected:
        raise InputError(
            f"{path}: expected SHA-256 {expected}, got {actual} (damaged): delete it to fetch it again"
        )


def _copy(source: Path, target: Path) -> Path:
    with usable(target), replacing(target) as beside:
        shutil.copyfile(source, beside)
    return target
