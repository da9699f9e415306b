"""The runs in a directory: those of a sweep, several side by side, or one."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nst.errors import InputError
from nst.runs import MODALITIES, modality
from nst.runs.follow import recorded
from nst.runs.modality import Modality
from nst.runs.repeat import files_used
from nst.sweep import plan
from nst.sweep.trials import BEGUN, DONE, FAILED, Folder
from nst.types import Values


class Run(NamedTuple):
    """A run directory, begun or not."""

    name: str
    folder: Path
    state: str  # one of nst.sweep.trials
    config: dict[str, Any]  # values by dotted name
    facts: dict[str, Any]  # content of config.json
    error: str = ""
    details: str = ""

    @property
    def modality(self) -> Modality:
        """The modality of the config."""
        return modality_of(self.config)

    @property
    def latest(self) -> str:
        """The file of the result, or of the last frame if there is no result yet; empty without either."""
        name, suffix = self.modality.result.name, self.modality.suffix
        if (self.folder / name).exists():
            return name
        frames = sorted((self.folder / "frames").glob(f"[0-9]*{suffix}"))
        return f"frames/{frames[-1].name}" if frames else ""

    @property
    def total(self) -> int | None:
        """Steps of the whole run; None if the config is damaged, or does not tell."""
        if self.modality.steps is None:
            return None
        try:
            return sum(self.modality.steps(self.config))
        except (InputError, KeyError, TypeError, ValueError):
            return None

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs: the main ones, then further styles and masks."""
        read = inside(self.facts, "inputs")
        return self.modality.names(read if isinstance(read, Mapping) else ())

    @property
    def sources(self) -> dict[str, str]:
        """The names of files that config fields name together, such as several styles; empty without these."""
        if len(self.inputs) == len(self.modality.inputs):
            return {}
        return {name: Path(self.path(name)).stem for name in self.inputs if self.path(name)}

    def named(self, name: str) -> list[str]:
        """Return the names of an input, of which a run may have several: `style`, `style_2`, …"""
        return [each for each in self.inputs if re.fullmatch(rf"{name}(_\d+)?", each)]

    def path(self, name: str) -> str:
        """Return the path of an input as read; empty if it is not recorded."""
        path = inside(self.facts, "inputs", name, "path")
        return path if isinstance(path, str) else ""

    def input(self, name: str) -> tuple[str, str]:
        """Return a key of an input: its name and the hash of its file, or its config value if no hash is recorded."""
        read = inside(self.facts, "inputs", name, "sha256")
        return name, str(read or self.config.get(self.modality.field(name)) or self.name)


def modality_of(config: Values) -> Modality:
    """Return the modality of a config, by dotted names; the first modality if the config is damaged."""
    try:
        return modality(config)
    except InputError:
        return next(iter(MODALITIES.values()))


def find(folder: Path) -> tuple[str, list[Run]]:
    """Return the kind of a directory, `sweep`, `runs` or `run`, and its runs.

    Raises:
      InputError: The directory holds neither a sweep nor a run.
    """
    planned = plan.read(folder)
    if planned is not None:
        return "sweep", _of_sweep(Folder(folder), planned)
    if (folder / "config.json").exists():
        return "run", [_alone(folder)]
    folders = sorted(path.parent for path in folder.glob("*/config.json"))
    if not folders:
        raise InputError(f"{folder} holds neither a sweep nor a run: give the --workdir of one")
    return "runs", [_alone(path) for path in folders]


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
    config = files_used(config, facts.get("inputs"), modality_of(config))
    state = DONE if (folder / "done").exists() else BEGUN
    return Run(folder.absolute().name, folder, state, config, facts)


def _complete(config: dict[str, Any]) -> dict[str, Any]:
    """Fill in fields that are unset or newer than the config; return a damaged config as it is."""
    try:
        values = recorded(config) if config else {}
    except (ValueError, LookupError, TypeError):
        return config
    return {name: values[name] for name in (*config, *values)}


def inside(value: Any, *names: str) -> Any:
    """Return the value under a path of names in nested mappings; None if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def flat(nested: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of nested mappings by dotted name; empty for anything but a mapping."""
    values: dict[str, Any] = {}
    for name, value in nested.items() if isinstance(nested, Mapping) else ():
        values |= (
            flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
        )
    return values


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file; empty if the file is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
