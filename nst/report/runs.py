"""The runs that lie in a directory: of a sweep, several side by side, or one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nst.errors import InputError
from nst.runs import MODALITIES, modality
from nst.runs.follow import recorded
from nst.runs.modality import Modality
from nst.sweep import plan
from nst.sweep.trials import BEGUN, DONE, FAILED, Folder
from nst.types import Values


class Run(NamedTuple):
    """A run directory, begun or not."""

    name: str
    folder: Path
    state: str  # of nst.sweep.trials
    config: dict[str, Any]  # dotted names to values
    facts: dict[str, Any]  # what config.json says
    error: str = ""
    details: str = ""

    @property
    def modality(self) -> Modality:
        """The modality of its config."""
        return modality_of(self.config)

    @property
    def latest(self) -> str:
        """The file of its result, or its last frame while there is none; empty if there is neither."""
        name, suffix = self.modality.result.name, self.modality.suffix
        if (self.folder / name).exists():
            return name
        frames = sorted((self.folder / "frames").glob(f"[0-9]*{suffix}"))
        return f"frames/{frames[-1].name}" if frames else ""

    @property
    def total(self) -> int | None:
        """Steps of the whole run; None where the config does not say."""
        try:
            return self.modality.steps(self.config)
        except (InputError, KeyError, TypeError, ValueError):
            return None

    def input(self, name: str) -> tuple[str, str]:
        """Identify an input by the file read, or by the run's name where that is not recorded."""
        read = inside(self.facts, "inputs", name, "sha256")
        return name, str(read or self.config.get(f"{self.modality.group}.{name}") or self.name)


def modality_of(config: Values) -> Modality:
    """Return the modality of dotted names; the first one where a damaged record does not say."""
    try:
        return modality(config)
    except InputError:
        return next(iter(MODALITIES.values()))


def find(folder: Path) -> tuple[str, list[Run]]:
    """What a directory is, `sweep`, `runs` or `run`, and its runs.

    Raises:
      InputError: There is none.
    """
    planned = plan.read(folder)
    if planned is not None:
        return "sweep", _of_sweep(Folder(folder), planned)
    if (folder / "config.json").exists():
        return "run", [_alone(folder)]
    beside = sorted(path.parent for path in folder.glob("*/config.json"))
    if not beside:
        raise InputError(f"{folder} holds neither a sweep nor a run: give the --workdir of one")
    return "runs", [_alone(path) for path in beside]


def _of_sweep(folder: Folder, planned: plan.Plan) -> list[Run]:
    states, common = folder.states(planned), flat(planned.config)
    return [
        Run(
            trial.name,
            folder.trial(trial),
            states[trial.name],
            _complete(
                trial.overrides
                | {name: value for name, value in common.items() if name not in trial.overrides}
            ),
            read_json(folder.trial(trial) / "config.json"),
            *(_failure(folder, trial) if states[trial.name] == FAILED else ()),
        )
        for trial in planned.trials
    ]


def _failure(folder: Folder, trial: plan.Trial) -> tuple[str, str]:
    return folder.error(trial), str(read_json(folder.failure(trial)).get("details", ""))


def _alone(folder: Path) -> Run:
    facts = read_json(folder / "config.json")
    config = _complete(flat(inside(facts, "config")))
    of = modality_of(config)
    for name in of.inputs:  # of a folder of files, each run has one
        field, path = f"{of.group}.{name}", Path(str(inside(facts, "inputs", name, "path")))
        if path.parent == Path(str(config.get(field))):
            config[field] = str(path)
    state = DONE if (folder / "done").exists() else BEGUN
    return Run(folder.absolute().name, folder, state, config, facts)


def _complete(config: dict[str, Any]) -> dict[str, Any]:
    """Add the fields that are unset, or of a later version; leave a damaged config as it is."""
    try:
        values = recorded(config) if config else {}
    except (ValueError, LookupError, TypeError):
        return config
    return {name: values[name] for name in (*config, *values)}


def inside(value: Any, *names: str) -> Any:
    """What lies under these names in nested mappings, None where there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def flat(nested: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted names to values; nothing of what is no mapping."""
    found: dict[str, Any] = {}
    for name, value in nested.items() if isinstance(nested, Mapping) else ():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def read_json(path: Path) -> dict[str, Any]:
    """An object from a file; empty where there is none, or a damaged one."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
