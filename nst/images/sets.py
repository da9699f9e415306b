"""Images of data sets that tensorflow-datasets has prepared, by name, without TensorFlow.

`tfds:NAME/SPLIT` is a set, `tfds:NAME/SPLIT#2` its third image. When an image is first used, the file that the set
holds is written to the cache folder: from then on it is an image like any other.
"""

import functools
import hashlib
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nst.errors import InputError
from nst.files import cache_dir, usable, write_bytes

PREFIX = "tfds:"
_NAME = re.compile(r"tfds:(?P<set>[^#]+)/(?P<split>[^/#]+)(#(?P<number>\d+))?")
_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"BM": ".bmp", b"GIF8": ".gif"}
_PACKAGES = ("tensorflow_datasets", "array_record", "grain", "importlib_resources")


class Set(NamedTuple):
    """A split of a data set.

    Attributes:
      name: The name of the split in a config.
      place: The folder of the set.
      length: The number of images.
      record: `record(i)` reads image i: a dict of features, of which `image` is the encoded file.
    """

    name: str
    place: Path
    length: int
    record: Callable[[int], dict[str, Any]]


def folder() -> Path:
    """Return the folder of nst's data sets; those in tensorflow-datasets' own folder can be used as well."""
    return cache_dir() / "data"


def is_named(name: str | Path) -> bool:
    """Return whether `name` is that of a data set, or of an image in one."""
    return str(name).startswith(PREFIX)


def members(name: str) -> list[str]:
    """Return the names `tfds:NAME/SPLIT#NUMBER` of the images of a set, in order; for one image, its name alone.

    Raises:
      InputError: There is no such set or image, or it can't be read.
    """
    dataset, number = _parsed(name)
    return [f"{dataset.name}#{i}" for i in (range(dataset.length) if number is None else [number])]


def locate(name: str) -> Path:
    """Return the path of one image in the cache folder; the file is written there if it is absent.

    The path contains a hash of the contents, so that a set that was made again never uses an old file.

    Raises:
      InputError: There is no such image, or it can't be read.
    """
    dataset, number = _parsed(name)
    if number is None:
        raise InputError(f"{name} is a data set: name one of its images, such as {name}#0")
    try:
        record = dataset.record(number)
    except Exception as error:  # from C++, the operating system or Python
        raise InputError(
            f"{name} is damaged ({line(error)}): delete {dataset.place}, and prepare or add the set again"
        ) from error
    content, label = record["image"], record.get("name")
    stem = label.decode() if isinstance(label, bytes) else f"{number:06}"
    suffix = next((s for start, s in _SUFFIXES.items() if content.startswith(start)), "")
    digest = hashlib.sha256(content).hexdigest()
    path = cache_dir() / "pictures" / digest[:32] / (re.sub(r"[^\w-]", "_", stem)[:100] + suffix)
    with usable(path):
        if not path.exists():
            write_bytes(path, content)
    return path


def _parsed(name: str) -> tuple[Set, int | None]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(
            f"{name}: give {PREFIX}NAME/SPLIT, such as tfds:nst_photos/train, or tfds:nst_photos/train#0"
        )
    dataset = _opened(match["set"], match["split"], folder())
    number = None if match["number"] is None else int(match["number"])
    if number is not None and number >= dataset.length:
        raise InputError(f"{name}: {dataset.name} has {dataset.length} images: give a number below that")
    return dataset, number


# Cached: opening a set takes some milliseconds, and a sweep opens it for each of its images.
@functools.lru_cache(maxsize=8)
def _opened(name: str, split: str, root: Path) -> Set:
    tfds = package()
    builder = _builder(name, root)
    features = builder.info.features
    if "image" not in features or not isinstance(features["image"], tfds.features.Image):
        raise InputError(f"tfds:{name} has no feature 'image' with images: give another data set")
    if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
        format = builder.info.file_format.value
        raise InputError(
            f"tfds:{name} was prepared as {format}, from which single images can't be read: "
            f"prepare it as array_record, as nst data prepare {name} does"
        )
    try:
        source = builder.as_data_source(split=split, decoders={"image": tfds.decode.SkipDecoding()})
        place = Path(builder.data_path)
        return Set(f"{PREFIX}{name}/{split}", place, len(source), source.__getitem__)
    except Exception as error:
        splits = ", ".join(builder.info.splits) or "none"
        raise InputError(
            f"tfds:{name}/{split} can't be read ({line(error)}): the splits of the data set are {splits}"
        ) from error


def _builder(name: str, root: Path) -> Any:
    tfds = package()
    for data_dir in (root, tfds.core.constants.DATA_DIR):
        try:
            return tfds.core.read_only_builder.builder_from_files(name, data_dir=str(data_dir))
        except (tfds.core.registered.DatasetNotFoundError, OSError, ValueError):
            continue
    raise InputError(f"no data set {name} is prepared here: nst data prepare {name}")


def package() -> Any:
    """Return the module tensorflow_datasets, whose import takes most of a second.

    Raises:
      InputError: The package, or one that it needs, is not installed.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"data sets need {', '.join(missing)}: pip install 'nst[data]'")
    import tensorflow_datasets

    return tensorflow_datasets


def line(error: Exception) -> str:
    """Return the message of an error of another package as one line of limited length."""
    return " ".join(str(error).split())[:200] or type(error).__name__
