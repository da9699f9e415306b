"""Data sets of pictures, by tensorflow-datasets and Grain without TensorFlow: making, drawing from, going through.

In a config `tfds:NAME/SPLIT` names one in place of a picture (see `nst.images.sets`).
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

#: Small sets of samples that no one has to fetch: enough for an ablation to have spreads.
OURS = {
    "nst_photos": ("astronaut", "chelsea", "coffee", "grace_hopper", "rocket"),
    "nst_paintings": ("hatching", "panes", "strokes"),
}
_VERSION = "1.0.0"
_SPLIT = "train"


def prepare(name: str) -> Path:
    """Have a data set ready: one of `OURS`, or any that tensorflow-datasets knows, which then fetches it.

    Args:
      name: As tensorflow-datasets writes it, a config and a version included: `NAME/CONFIG:1.0.0`.

    Returns:
      Its folder.

    Raises:
      InputError: There is none of that name, or it can't be made.
    """
    tfds = sets.package()
    if name in OURS:
        return _make(name, {sample: images.list_pictures(sample)[0] for sample in OURS[name]})
    try:
        builder = tfds.builder(name, data_dir=str(sets.folder()), file_format="array_record")
        builder.download_and_prepare()
    except Exception as error:  # builders are anyone's code
        raise InputError(
            f"data set {name} can't be prepared ({sets.line(error)}): "
            f"give {', '.join(OURS)}, or a name of tensorflow-datasets whose builder runs here"
        ) from error
    return Path(builder.data_path)


def add(name: str, folder: Path) -> Path:
    """Make a data set of a folder's pictures, upright and as 8-bit sRGB, in the split `train`.

    Args:
      name: Small letters, digits and underscores.
      folder: Its subfolders are left out.

    Returns:
      The data set's folder.

    Raises:
      InputError: The name can't be used or is taken, or a picture can't be read.
    """
    if not (name.isidentifier() and name.isascii() and name == name.lower()) or name in OURS:
        raise InputError(
            f"data set {name!r}: give a name of small letters, digits and _ that is not {' or '.join(OURS)}"
        )
    place = sets.folder() / name
    if (place / _VERSION).exists():
        raise InputError(f"{place} exists: give another name, or delete it")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one with pictures")
    paths = images.list_pictures(folder)
    labelled = {path.stem: path for path in paths}
    if len(labelled) < len(paths):
        raise InputError(f"{folder}: two pictures share a name up to the extension: rename one")
    return _make(name, labelled)


def choose(name: str, count: int, *, seed: int) -> list[str]:
    """The names of `count` pictures of a set, drawn without replacement: for a `sweep()` over a part of a large one.

    Raises:
      InputError: There is no such set, or it has fewer pictures.
    """
    found = sets.members(name)
    if not 0 < count <= len(found):
        raise InputError(f"{name} has {len(found)} pictures: give a number from 1 to that, not {count}")
    import grain

    order = grain.MapDataset.range(len(found)).shuffle(seed=seed)
    return [found[i] for i in itertools.islice(order, count)]


def pictures(name: str, *, size: int, aspect: float = 1.0, seed: int | None = None) -> Any:
    """A set as a `grain.MapDataset` of pictures of one size, to be batched and repeated by Grain.

    Args:
      name: `tfds:NAME/SPLIT`.
      size: Longest side, pixels.
      aspect: Width / height, to which both ends of what is too long are cut.
      seed: Of the order, another in each epoch; as they stand in the set if there is none.

    Returns:
      Of float32 `[h, w, 3]`, sRGB-encoded, in [0, 1] but for the overshoot of resampling.

    Raises:
      InputError: There is no such set.
    """
    found = sets.members(name)
    import grain

    height, width = images.fit_size(1 / aspect, 1.0, size)
    order = grain.MapDataset.source(found)
    if seed is not None:
        order = order.shuffle(seed=seed)
    return order.map(lambda picture: images.cover(images.read(picture), height, width))


def available() -> list[tuple[str, int, Path]]:
    """The sets that are prepared, by nst or else in tensorflow-datasets' own folder: name, pictures, folder."""
    tfds = sets.package()
    found = []
    for place in (sets.folder(), Path(tfds.core.constants.DATA_DIR)):
        for info in sorted(place.glob("**/dataset_info.json")):
            name = str(info.parent.parent.relative_to(place))
            if "/." in f"/{name}":  # one that a killed process left unfinished
                continue
            builder = tfds.builder_from_directory(str(info.parent))
            found += [
                (f"{sets.PREFIX}{name}/{s}", i.num_examples, info.parent)
                for s, i in builder.info.splits.items()
            ]
    return found


def _make(name: str, paths: Mapping[str, Path]) -> Path:
    """Write a set whole or not at all, in one process at a time."""
    place = sets.folder() / name / _VERSION
    with files.usable(place):
        return files.make_once(place, lambda: _write(name, paths, place))


def _write(name: str, paths: Mapping[str, Path], place: Path) -> None:
    for left in place.parent.glob(".unfinished-*"):  # of a process that was killed: this one alone works here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".unfinished-") as beside:
        builder = _builder(name, paths, Path(beside))
        tfds = sets.package()
        tfds.disable_progress_bar()  # several bars and a warning of shuffling, for a second's work
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
            """Pictures of files, in the order given."""

            VERSION = tfds.core.Version(_VERSION)

            def _info(self) -> Any:
                image, text = features.Image(encoding_format="png"), features.Text()
                content = features.FeaturesDict({"image": image, "name": text})
                return tfds.core.DatasetInfo(builder=self, features=content, disable_shuffling=True)

            def _split_generators(self, *_: Any) -> Mapping[str, Any]:
                return {_SPLIT: self._generate_examples()}

            def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
                shown = track(paths.items(), name, console=Console(stderr=True), transient=True)
                for i, (label, path) in enumerate(shown):
                    images.write(folder / "picture.png", images.read(path))
                    yield i, {"image": (folder / "picture.png").read_bytes(), "name": label}

    Pictures.name = name
    return Pictures(data_dir=str(folder), file_format="array_record")
