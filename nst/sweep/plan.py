"""The plan of a sweep: its config, and what each trial differs by. Written before anything runs."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from nst import features, images, record, runs
from nst.config import FIELDS, base, fields, modality_of
from nst.errors import InputError, unknown
from nst.images import sets
from nst.overrides import Overrides
from nst.runs.follow import as_tuples, checked, recorded

FILE = "plan.json"
_LONGEST_NAME = 120  # characters; a file system takes 255 bytes


class Trial(NamedTuple):
    """A trial's name, which is its folder's, and the fields that it sets."""

    name: str
    overrides: Overrides


class Plan(NamedTuple):
    """The config that all trials share, nested as JSON has it, and the trials in their order.

    Fields that follow others are unset in it, so that they follow the overrides of a trial.
    """

    config: dict[str, Any]
    trials: tuple[Trial, ...]


def make(config: ConfigDict, sweep: Iterable[Any]) -> Plan:
    """Name the trials and look at the config of each.

    Args:
      config: What all trials begin with.
      sweep: What a config file's `sweep()` yields: overrides, or pairs of a name and overrides.

    Raises:
      InputError: No trial, two of one name or of the same overrides, or a field or value that can't be used.
    """
    found: list[tuple[str, Any]] = [entry if isinstance(entry, tuple) else ("", entry) for entry in sweep]
    if not found:
        raise InputError("sweep() yields no trial: let it yield mappings from field names to values")
    for _, overrides in found:
        if not isinstance(overrides, Mapping):
            raise InputError(f"sweep() yields {overrides!r}: give mappings from field names to values")
    found = [pair for entry in found for pair in _pairs(config, *entry)]
    names = _names([overrides for _, overrides in found])
    trials = tuple(
        Trial(given or name, _plain(overrides)) for (given, overrides), name in zip(found, names, strict=True)
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
    """Return one trial for each combination of the inputs' files, where a trial's fields name several."""
    of = runs.modality(config)
    values = {f"{of.group}.{name}": config[of.group][name] for name in of.inputs}
    found = {field: of.each(overrides.get(field, value)) for field, value in values.items()}
    several = [field for field, names in found.items() if len(names) > 1]
    pairs = [dict(zip(found, names, strict=True)) for names in itertools.product(*found.values())]
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
    """Return every field of one trial by its dotted name, resolved, as JSON has it."""
    return recorded(_given(plan, trial))


def _given(plan: Plan, trial: Trial) -> dict[str, Any]:
    """Return the fields of one trial as they are set, or unset."""
    return dict(fields(plan.config)) | trial.overrides


def configured(plan: Plan, trial: Trial) -> ConfigDict:
    """Return the config of one trial; fields that follow others stay unset."""
    own = _given(plan, trial)
    modality = modality_of(own)
    config = base(modality)
    for name in own:
        if name not in FIELDS[modality]:
            raise unknown("config field", name, FIELDS[modality])
    with config.ignore_type():  # `validate` names a wrong type
        config.update_from_flattened_dict(as_tuples(own))
    return config


def structure(plan: Plan, trial: Trial, *, lockstep: bool = False) -> str:
    """Return a key that trials share if they share compiled programs.

    Args:
      plan: The plan.
      trial: One of its trials.
      lockstep: Return a key that trials share if they can also take their steps in one batched call.
    """
    own = values(plan, trial)
    table = FIELDS[modality_of(own)]
    roles = {"structure", "count"} if lockstep else {"structure"}
    common = {name for name in own if name not in table or table[name].role in roles}
    # A term of weight 0 is left out of the program.
    common |= {name for name in own if name.startswith("loss.") and own[name] == 0}
    if "features.weights" in own and features.is_drawn(own["features.network"], own["features.weights"]):
        common.add("images.seed")  # another seed gives another network
    return json.dumps({name: own[name] for name in sorted(common)})


def read(folder: Path) -> Plan | None:
    """The plan of a sweep's folder, None where there is none yet."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text())
        return Plan(value["config"], tuple(Trial(t["name"], t["overrides"]) for t in value["trials"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: start again in another --workdir") from error


def write(folder: Path, plan: Plan) -> None:
    """Keep the plan."""
    trials = [trial._asdict() for trial in plan.trials]
    record.write_json(folder / FILE, {"config": plan.config, "trials": trials})


def agree(old: Plan, new: Plan, *, extend: bool, where: Path) -> None:
    """Refuse a plan that differs from the one begun. Resolved values are compared, not how they are set.

    Args:
      old: The plan begun.
      new: The plan now.
      extend: Accept more trials.
      where: The sweep's directory.

    Raises:
      InputError: What differs.
    """
    before, after = map(_effect, (old, new))
    added = sorted(set(after["trial"]) - set(before["trial"]))
    if extend:
        after["trial"] = {name: value for name, value in after["trial"].items() if name not in added}
        added = []
    for name in added:
        del after["trial"][name]
    changed = [f"trial {name} is new" for name in added] + record.differences(before, after)
    if changed:
        told = "; ".join(changed[:3]) + (f"; and {len(changed) - 3} more" if len(changed) > 3 else "")
        remedy = "add --extend to have new trials run too" if len(changed) == len(added) else "undo that"
        raise InputError(f"{where} holds another sweep ({told}): {remedy}, or give another --workdir")


def _effect(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the resolved values of a plan's config, and those in which each trial differs from it."""
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
    """`pooling=max,seed=1`: the fields that vary, by the last part of their names where that tells them apart."""
    varying = sorted({name for overrides in sweep for name in overrides}, key=_order(sweep))
    varying = [name for name in varying if len({repr(o.get(name)) for o in sweep}) > 1] or varying
    last = [name.rpartition(".")[2] for name in varying]
    short = {name: part if last.count(part) == 1 else name for name, part in zip(varying, last, strict=True)}
    found = [",".join(f"{short[n]}={_word(o[n])}" for n in varying if n in o) or "base" for o in sweep]
    return [name if len(name) <= _LONGEST_NAME else _shortened(name) for name in found]


def _order(sweep: list[Overrides]) -> Any:
    """As they come in the first overrides that have them."""
    order: dict[str, int] = {}
    for overrides in sweep:
        for name in overrides:
            order.setdefault(name, len(order))
    return order.__getitem__


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return _stem(value) if "/" in value else value
    if isinstance(value, tuple | list):
        return "+".join(map(_word, value)) or "none"
    return str(value)


def _stem(picture: str) -> str:
    return (images.list_pictures(picture)[0] if sets.is_named(picture) else Path(picture)).stem


def _shortened(name: str) -> str:
    return f"{name[: _LONGEST_NAME - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _check_name(name: str) -> None:
    usable = isinstance(name, str) and name.isprintable() and not set(name) & set("/\\\0")
    if not usable or not name or name.startswith(".") or len(name.encode()) > 200:
        raise InputError(f"a trial is named {name!r}: a folder's name has no / or \\ and no dot in front")


def _plain(value: Any) -> Any:
    """As it comes back from JSON: NumPy's numbers as Python's, tuples as lists."""
    return json.loads(json.dumps(value, default=lambda x: x.item() if hasattr(x, "item") else str(x)))
