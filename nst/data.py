"""Data sets of images, by tensorflow-datasets and Grain without TensorFlow: make them, list them, read them.

In a config, `tfds:NAME/SPLIT` names a data set in place of an image (see `nst.images.sets`).
"""

import contextlib
import io
import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from nst import files, images
from nst.errors import InputError
from nst.images import sets

#: Data sets made of the sample images, without a download: enough images for an ablation to report a spread.
OURS = {
    "nst_photos": ("astronaut", "chelsea", "coffee", "grace_hopper", "rocket"),
    "nst_paintings": ("hatching", "panes", "strokes"),
}
_VERSION = "1.0.0"
_SPLIT = "train"


def prepare(name: str) -> Path:
    """Make a data set of `OURS`, or fetch one of tensorflow-datasets.

    Args:
      name: A name as in tensorflow-datasets, optionally with a config and a version: `NAME/CONFIG:1.0.0`.

    Returns:
      The folder of the data set.

    Raises:
      InputError: The name is unknown, or the data set can't be made.
    """
    tfds = sets.package()
    if name in OURS:
        return _make(name, {sample: images.list_images(sample)[0] for sample in OURS[name]})
    try:
        builder = tfds.builder(name, data_dir=str(sets.folder()), file_format="array_record")
        builder.download_and_prepare()
    except Exception as error:  # a builder may raise anything
        raise InputError(
            f"data set {name} can't be prepared ({sets.line(error)}): "
            f"give {', '.join(OURS)}, or a name of tensorflow-datasets whose builder runs here"
        ) from error
    return Path(builder.data_path)


def add(name: str, folder: Path) -> Path:
    """Make a data set of the images in a folder, upright and in 8-bit sRGB, with the split `train`.

    Args:
      name: Lower-case letters, digits and underscores.
      folder: The folder of the images; its subfolders are left out.

    Returns:
      The folder of the data set.

    Raises:
      InputError: The name can't be used or is taken, or an image can't be read.
    """
    if not (name.isidentifier() and name.isascii() and name == name.lower()) or name in OURS:
        raise InputError(
            f"data set {name!r}: give a name of lower-case letters, digits and _ that is not {' or '.join(OURS)}"
        )
    place = sets.folder() / name
    if (place / _VERSION).exists():
        raise InputError(f"{place} exists: give another name, or delete it")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one with images")
    paths = images.list_images(folder)
    labelled = {path.stem: path for path in paths}
    if len(labelled) < len(paths):
        raise InputError(f"{folder}: two images share a name up to the extension: rename one")
    return _make(name, labelled)


def choose(name: str, count: int, *, seed: int) -> list[str]:
    """Return the names of `count` random images of a data set, without repetition, for a `sweep()` over part of it.

    Raises:
      InputError: The data set is unknown or has fewer images.
    """
    members = sets.members(name)
    if not 0 < count <= len(members):
        n = len(members)
        raise InputError(f"{name} has {n} images: give a number from 1 to {n}, not {count}")
    import grain

    order = grain.MapDataset.range(len(members)).shuffle(seed=seed)
    return [members[i] for i in itertools.islice(order, count)]


def dataset(name: str, *, size: int, aspect: float = 1.0, seed: int | None = None) -> Any:
    """Return a data set as a `grain.MapDataset` of images of one size, to be batched and repeated by Grain.

    Args:
      name: `tfds:NAME/SPLIT`.
      size: Longest side, pixels.
      aspect: Width / height; images are cropped to it around their center.
      seed: Seed of the order, which differs in each epoch; without a seed the order is that of the data set.

    Returns:
      A data set of float32 `[h, w, 3]`, sRGB-encoded, in [0, 1] except for the overshoot of resampling.

    Raises:
      InputError: The data set is unknown.
    """
    members = sets.members(name)
    import grain

    height, width = images.fit_size(1 / aspect, 1.0, size)
    order = grain.MapDataset.source(members)
    if seed is not None:
        order = order.shuffle(seed=seed)
    return order.map(lambda member: images.cover(images.read(member), height, width))


def available() -> list[tuple[str, int, Path]]:
    """Return `tfds:NAME/SPLIT`, number of images and folder of each split of the data sets on this machine.

    These are the data sets made by nst, and those in tensorflow-datasets' own folder.
    """
    tfds = sets.package()
    splits = []
    for place in (sets.folder(), Path(tfds.core.constants.DATA_DIR)):
        for info in sorted(place.glob("**/dataset_info.json")):
            name = str(info.parent.parent.relative_to(place))
            if "/." in f"/{name}":  # unfinished, left by a killed process
                continue
            builder = tfds.builder_from_directory(str(info.parent))
            splits += [
                (f"{sets.PREFIX}{name}/{s}", i.num_examples, info.parent)
                for s, i in builder.info.splits.items()
            ]
    return splits


def _make(name: str, paths: Mapping[str, Path]) -> Path:
    """Make a data set completely or not at all, in one process at a time."""
    place = sets.folder() / name / _VERSION
    with files.usable(place):
        return files.make_once(place, lambda: _write(name, paths, place))


def _write(name: str, paths: Mapping[str, Path], place: Path) -> None:
    for left in place.parent.glob(".unfinished-*"):  # left by a killed process: no other process works here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".unfinished-") as beside:
        builder = _builder(name, paths, Path(beside))
        tfds = sets.package()
        tfds.disable_progress_bar()  # it would print several bars and a warning for a second's work
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                builder.download_and_prepare()
        finally:
            tfds.enable_progress_bar()
        Path(builder.data_path).rename(place)


def _builder(name: str, paths: Mapping[str, Path], folder: Path) -> Any:
    tfds = sets.package()
    features = tfds.features

    with tfds.core.registered.skip_registration():

        class Pictures(tfds.core.GeneratorBasedBuilder):
            """Images from files, in the order given."""

            VERSION = tfds.core.Version(_VERSION)

            def _info(self) -> Any:
                image, text = features.Image(encoding_format="png"), features.Text()
                content = features.FeaturesDict({"image": image, "name": text})
                return tfds.core.DatasetInfo(builder=self, features=content, disable_shuffling=True)

            def _split_generators(self, *_: Any) -> Mapping[str, Any]:
                return {_SPLIT: self._generate_examples()}

            def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
                items = track(paths.items(), name, console=Console(stderr=True), transient=True)
                for i, (label, path) in enumerate(items):
                    images.write(folder / "picture.png", images.read(path))
                    yield i, {"image": (folder / "picture.png").read_bytes(), "name": label}

    Pictures.name = name
    return Pictures(data_dir=str(folder), file_format="array_record")
