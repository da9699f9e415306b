"""Several styles of a run: their files, their names among the inputs, and a number for each."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nst import inputs
from nst.errors import InputError

_STYLE = re.compile(r"style(_\d+)?")


def numbered(name: str, i: int) -> str:
    """Return the name of the i-th of several inputs, from 0: `style`, `style_2`, `style_3`, …"""
    return name if i == 0 else f"{name}_{i + 1}"


def style_names(names: Iterable[str]) -> list[str]:
    """Return the names of the styles among those of inputs."""
    return [name for name in names if _STYLE.fullmatch(name)]


def first_style(style: str) -> str:
    """Return the first of the styles that the value of a config names; the others are further inputs."""
    return (inputs.several(style) or [""])[0]


def other_styles(field: str, style: str, find: Callable[[str], list[Path]]) -> dict[str, Path]:
    """Return the files of all styles but the first, by name.

    Args:
      field: The config field, for messages.
      style: Its value.
      find: Return the files that a name stands for.

    Raises:
      InputError: A style can't be found, or is a folder of several files.
    """
    result = {}
    for i, name in enumerate(inputs.several(style)[1:], 1):
        paths = find(name)
        if len(paths) > 1:
            raise InputError(
                f"config.{field}: {name} has {len(paths)} files: with several styles, name each file"
            )
        result[numbered("style", i)] = paths[0]
    return result


def for_each_style(field: str, numbers: Sequence[float | int], count: int) -> list[float]:
    """Return a number for each style; 1 for each if the config has none.

    Raises:
      InputError: There are not as many numbers as styles.
    """
    if numbers and len(numbers) != count:
        raise InputError(f"config.{field} has {len(numbers)} numbers for {count} styles: give one for each")
    return [float(number) for number in numbers] or [1.0] * count


def style_weights(field: str, weights: Sequence[float | int], count: int) -> list[float]:
    """Return the weight of each style.

    Raises:
      InputError: There are not as many weights as styles, or all are 0.
    """
    result = for_each_style(field, weights, count)
    if not any(result):
        raise InputError(f"config.{field} are all 0: give a number above 0")
    return result
