"""Pictures of data sets that tensorflow-datasets has prepared, by name, without TensorFlow.

`tfds:NAME/SPLIT` is a set, `tfds:NAME/SPLIT#2` its third picture. When a picture is first asked for, it is put into the
cache folder as the file that it is in the set: from there on it is a picture like any other.
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
    """A split of a data set: its name as in a config, its folder, how many pictures it has, and each as a record."""

    name: str
    place: Path
    length: int
    record: Callable[[int], dict[str, Any]]


def folder() -> Path:
    """Where nst keeps data sets; those of tensorflow-datasets' own folder are found as well."""
    return cache_dir() / "data"


def is_named(name: str | Path) -> bool:
    """Whether it is a data set's name, or a picture's in one."""
    return str(name).startswith(PREFIX)


def members(name: str) -> list[str]:
    """The names of a set's pictures, in their order; of one picture, itself.

    Raises:
      InputError: There is no such set or picture, or it can't be read.
    """
    found, number = _parsed(name)
    return [f"{found.name}#{i}" for i in (range(found.length) if number is None else [number])]


def locate(name: str) -> Path:
    """The file of one picture. It is named by its contents, so that a set made anew never finds an old one.

    Raises:
      InputError: There is no such picture, or it can't be read.
    """
    found, number = _parsed(name)
    if number is None:
        raise InputError(f"{name} is a data set: name one of its pictures, such as {name}#0")
    try:
        record = found.record(number)
    except Exception as error:  # of C++, of the operating system or of Python
        raise InputError(
            f"{name} is damaged ({line(error)}): delete {found.place}, and prepare or add the set again"
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
    found = _opened(match["set"], match["split"], folder())
    number = None if match["number"] is None else int(match["number"])
    if number is not None and number >= found.length:
        raise InputError(f"{name}: {found.name} has {found.length} pictures: give a number below that")
    return found, number


# Opening one takes some milliseconds, and a sweep asks for each of its pictures.
@functools.lru_cache(maxsize=8)
def _opened(name: str, split: str, where: Path) -> Set:
    tfds = package()
    builder = _builder(name, where)
    features = builder.info.features
    if "image" not in features or not isinstance(features["image"], tfds.features.Image):
        raise InputError(f"tfds:{name} has no feature 'image' with pictures: give another data set")
    if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
        format = builder.info.file_format.value
        raise InputError(
            f"tfds:{name} was prepared as {format}, of which single pictures can't be read: "
            f"prepare it as array_record, as python scripts/data.py prepare {name} does"
        )
    try:
        source = builder.as_data_source(split=split, decoders={"image": tfds.decode.SkipDecoding()})
        place = Path(builder.data_path)
        return Set(f"{PREFIX}{name}/{split}", place, len(source), source.__getitem__)
    except Exception as error:
        splits = ", ".join(builder.info.splits) or "none"
        raise InputError(f"tfds:{name}/{split} can't be read ({line(error)}): it has {splits}") from error


def _builder(name: str, where: Path) -> Any:
    tfds = package()
    for data_dir in (where, tfds.core.constants.DATA_DIR):
        try:
            return tfds.core.read_only_builder.builder_from_files(name, data_dir=str(data_dir))
        except (tfds.core.registered.DatasetNotFoundError, OSError, ValueError):
            continue
    raise InputError(f"no data set {name} is prepared here: python scripts/data.py prepare {name}")


def package() -> Any:
    """tensorflow-datasets, which takes most of a second to import.

    Raises:
      InputError: It, or what it needs beside it, is not installed.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"data sets need {', '.join(missing)}: pip install 'nst[data]'")
    import tensorflow_datasets

    return tensorflow_datasets


def line(error: Exception) -> str:
    """What an error of someone else's code says, in a line that is not too long."""
    return " ".join(str(error).split())[:200] or type(error).__name__
