"""The fields that vary between runs, their values, and short names for both."""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from nst.config import FIELDS
from nst.runs import MODALITIES
from nst.runs.follow import as_tuples, usual
from nst.types import Values


def replicates() -> list[str]:
    """Return the fields that repeat an experiment rather than change it: means are taken over them."""
    return [each.field(name) for each in MODALITIES.values() for name in (*each.inputs, "seed")]


def varied(configs: Sequence[Values], stems: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return fields with more than one value: `name`, `label`, `values`, `labels`, `numeric`, `replicate`, `follows`.

    A field follows if it changes with an earlier field, as weights of layers do with the layers; it comes last.

    Args:
      configs: Values by dotted name.
      stems: Short names of inputs by their names in configs.
    """
    seen: dict[str, dict[str, Any]] = {}
    for config in configs:
        for name, value in config.items():
            seen.setdefault(name, {}).setdefault(_key(value), value)
    several = {name: _sorted([*values.values()]) for name, values in seen.items() if len(values) > 1}
    last = [_last(name) for name in several]
    repeating = replicates()
    only = all(name in repeating for name in several)  # then there is nothing else to compare
    fields = [
        {
            "name": name,
            "label": _last(name).replace("_", " ") if last.count(_last(name)) == 1 else name,
            "values": values,
            "labels": _labels(values, stems or {}),
            "numeric": _numeric(values),
            "replicate": name in repeating and not only,
        }
        for name, values in several.items()
    ]
    columns = [*zip(*where(fields, configs), strict=True)]
    for i, field in enumerate(fields):
        pairs = [{*zip(columns[i], columns[j], strict=True)} for j in range(i) if not fields[j]["replicate"]]
        alike = any(len(pair) == len({a for a, _ in pair}) == len({b for _, b in pair}) for pair in pairs)
        field["follows"] = (alike or _is_derived(field["name"], configs)) and not field["replicate"]
    return sorted(fields, key=lambda field: field["follows"])


def _is_derived(name: str, configs: Sequence[Values]) -> bool:
    """Return whether all configs have the value of a field that follows from their other fields."""
    if not any(table[name].follows for table in FIELDS.values() if name in table):
        return False
    return all(usual(config).get(name) == as_tuples({name: config.get(name)})[name] for config in configs)


def where(fields: Sequence[Values], configs: Sequence[Values]) -> list[list[int]]:
    """Return, for each config, the index of its value in each field; -1 if it has none."""
    keys = [
        (field["name"], {_key(value): at for at, value in enumerate(field["values"])}) for field in fields
    ]
    return [
        [places.get(_key(config[name]), -1) if name in config else -1 for name, places in keys]
        for config in configs
    ]


def _key(value: Any) -> str:
    return json.dumps(value, default=str)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, float | int) and not isinstance(value, bool) for value in values)


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values) if _numeric(values) else values


def _labels(values: Sequence[Any], stems: Mapping[str, str]) -> list[str]:
    """Return short labels, or full ones if two short labels are the same."""
    short = [stems.get(str(value)) or _short(value) for value in values]
    return short if len(set(short)) == len(short) else [_whole(value) for value in values]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str) and "/" in value and not value.startswith("tfds:"):
        return PurePath(value).stem
    return _whole(value)


def _whole(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
