"""The plan of a sweep: a config, and the overrides of each trial. It is written before any trial runs."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from nst import features, images, inputs, record, runs
from nst.config import FIELDS, fields, modality_of
from nst.errors import InputError, unknown
from nst.images import sets
from nst.overrides import Overrides
from nst.runs.follow import as_config, checked, recorded

FILE = "plan.json"
_LONGEST_NAME = 120  # characters; file systems allow 255 bytes


class Trial(NamedTuple):
    """The name of a trial, which is also that of its folder, and the fields that it sets."""

    name: str
    overrides: Overrides


class Plan(NamedTuple):
    """The config that all trials share, nested as in JSON, and the trials in order.

    Fields that follow others are unset in the config, so that they follow the overrides of each trial.
    """

    config: dict[str, Any]
    trials: tuple[Trial, ...]


def make(config: ConfigDict, sweep: Iterable[Any]) -> Plan:
    """Make the plan of a sweep: name the trials and check the config of each.

    Args:
      config: The config that all trials share.
      sweep: What a config file's `sweep()` yields: overrides, or pairs of a name and overrides.

    Raises:
      InputError: There is no trial, two trials share a name or overrides, or a field or value is invalid.
    """
    entries: list[tuple[str, Any]] = [entry if isinstance(entry, tuple) else ("", entry) for entry in sweep]
    if not entries:
        raise InputError("sweep() yields no trial: let it yield mappings from field names to values")
    for _, overrides in entries:
        if not isinstance(overrides, Mapping):
            raise InputError(f"sweep() yields {overrides!r}: give mappings from field names to values")
    entries = [pair for entry in entries for pair in _pairs(config, *entry)]
    names = _names([overrides for _, overrides in entries])
    trials = tuple(
        Trial(own or name, _plain(overrides)) for (own, overrides), name in zip(entries, names, strict=True)
    )
    plan = Plan(_plain(json.loads(config.to_json())), trials)
    seen: dict[str, Overrides] = {}
    for trial in trials:
        _check_name(trial.name)
        if trial.name in seen:
            raise InputError(f"two trials are named {trial.name!r}: let sweep() yield (name, overrides)")
        seen[trial.name] = trial.overrides
        _check(plan, trial)
    return plan


def _pairs(config: ConfigDict, name: str, overrides: Overrides) -> list[tuple[str, Overrides]]:
    """Return a name and overrides for each combination of input files, where fields stand for several files."""
    modality = runs.modality(config)
    values = dict(fields(config))
    names = {modality.field(name): name for name in modality.inputs}
    files = {
        field: modality.each(name, inputs.joined(overrides.get(field, values[field])))
        for field, name in names.items()
    }
    several = [field for field, names in files.items() if len(names) > 1]
    pairs = [dict(zip(files, names, strict=True)) for names in itertools.product(*files.values())]
    return [
        (
            ",".join([name, *(_stem(pair[field]) for field in several)]) if name else "",
            overrides | {field: pair[field] for field in several},
        )
        for pair in pairs
    ]


def _check(plan: Plan, trial: Trial) -> None:
    try:
        checked(configured(plan, trial))
    except InputError as error:
        raise InputError(f"trial {trial.name}: {error}") from error


def values(plan: Plan, trial: Trial) -> dict[str, Any]:
    """Return every field of a trial by dotted name: resolved, in the types of JSON."""
    return recorded(_unresolved(plan, trial))


def _unresolved(plan: Plan, trial: Trial) -> dict[str, Any]:
    """Return the fields of a trial by dotted name; fields that are not set are None."""
    return dict(fields(plan.config)) | trial.overrides


def configured(plan: Plan, trial: Trial) -> ConfigDict:
    """Return the config of a trial; fields that follow others stay unset."""
    own = _unresolved(plan, trial)
    modality = modality_of(own)
    for name in own:
        if name not in FIELDS[modality]:
            raise unknown("config field", name, FIELDS[modality])
    return as_config(own)


def structure(plan: Plan, trial: Trial, *, batched: bool = False) -> str:
    """Return a key that is equal for trials that share compiled programs.

    Args:
      plan: The plan.
      trial: One of its trials.
      batched: Return a key that is equal only for trials that can also be computed in one batched call.
    """
    own = values(plan, trial)
    table = FIELDS[modality_of(own)]
    roles = {"structure", "count"} if batched else {"structure"}
    common = {name for name in own if name not in table or table[name].role in roles}
    # A term of weight 0 is left out of the program.
    common |= {name for name in own if name.startswith("loss.") and own[name] == 0}
    if "features.weights" in own and features.is_drawn(own["features.network"], own["features.weights"]):
        common.add("images.seed")  # another seed gives another network
    return json.dumps({name: own[name] for name in sorted(common)})


def read(folder: Path) -> Plan | None:
    """Read the plan in a sweep's folder; return None if there is none yet.

    Raises:
      InputError: The plan is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text())
        return Plan(value["config"], tuple(Trial(t["name"], t["overrides"]) for t in value["trials"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: start again in another --workdir") from error


def write(folder: Path, plan: Plan) -> None:
    """Write a plan to a sweep's folder."""
    trials = [trial._asdict() for trial in plan.trials]
    record.write_json(folder / FILE, {"config": plan.config, "trials": trials})


def agree(old: Plan, new: Plan, *, extend: bool, drop: bool = False, where: Path) -> None:
    """Check that two plans agree. Resolved values are compared, whether they were set or follow other fields.

    Args:
      old: The plan in the sweep's directory.
      new: The plan to compare with it.
      extend: Accept new trials.
      drop: Accept that trials are gone.
      where: The sweep's directory, for the message.

    Raises:
      InputError: The plans differ.
    """
    before, after = map(_effect, (old, new))
    added = [f"trial {name} is new" for name in _only(after, before)]
    gone = [f"trial {name} is gone" for name in _only(before, after)]
    changed, remedies = record.differences(before, after), []
    remedy = "undo the change" if changed else None
    if added and not extend:
        changed, remedies = changed + added, ["--extend to run the new trials too"]
    if gone and not drop:
        changed, remedies = changed + gone, [*remedies, "--drop to leave out those that are gone"]
    if changed:
        summary = "; ".join(changed[:3]) + (f"; and {len(changed) - 3} more" if len(changed) > 3 else "")
        remedy = remedy or f"add {' and '.join(remedies)}"
        raise InputError(f"{where} holds another sweep ({summary}): {remedy}, or give another --workdir")


def _only(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> list[str]:
    """Remove the trials that only `one` has from it, and return their names."""
    names = sorted(set(one["trial"]) - set(other["trial"]))
    for name in names:
        del one["trial"][name]
    return names


def _effect(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the resolved config of a plan, and for each trial the resolved values that differ from it."""
    config = recorded(plan.config)
    trials = {trial.name: values(plan, trial).items() for trial in plan.trials}
    missing = object()
    return {
        "config": config,
        "trial": {
            name: {field: value for field, value in own if config.get(field, missing) != value}
            for name, own in trials.items()
        },
    }


def _names(sweep: list[Overrides]) -> list[str]:
    """Name trials after the fields that vary, as in `pooling=max,seed=1`.

    A field is called by the last part of its name, or by all of it if two last parts are the same.
    """
    varying = sorted({name for overrides in sweep for name in overrides}, key=_order(sweep))
    varying = [name for name in varying if len({repr(o.get(name)) for o in sweep}) > 1] or varying
    last = [name.rpartition(".")[2] for name in varying]
    short = {name: part if last.count(part) == 1 else name for name, part in zip(varying, last, strict=True)}
    names = [",".join(f"{short[n]}={_word(o[n])}" for n in varying if n in o) or "base" for o in sweep]
    return [name if len(name) <= _LONGEST_NAME else _shortened(name) for name in names]


def _order(sweep: list[Overrides]) -> Any:
    """Return a sort key that orders fields by their first appearance."""
    order: dict[str, int] = {}
    for overrides in sweep:
        for name in overrides:
            order.setdefault(name, len(order))
    return order.__getitem__


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return "+".join(map(_stem, inputs.several(value))) if "/" in value else value
    if isinstance(value, tuple | list):
        return "+".join(map(_word, value)) or "none"
    return str(value)


def _stem(name: str) -> str:
    return (images.list_images(name)[0] if sets.is_named(name) else Path(name)).stem


def _shortened(name: str) -> str:
    return f"{name[: _LONGEST_NAME - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _check_name(name: str) -> None:
    usable = isinstance(name, str) and name.isprintable() and not set(name) & set("/\\\0")
    if not usable or not name or name.startswith(".") or len(name.encode()) > 200:
        raise InputError(
            f"a trial is named {name!r}: give a folder name without / or \\ and without a leading dot"
        )


def _plain(value: Any) -> Any:
    """Convert a value to the types of JSON: NumPy numbers to Python numbers, tuples to lists."""
    return json.loads(json.dumps(value, default=lambda x: x.item() if hasattr(x, "item") else str(x)))
