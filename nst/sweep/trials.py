"""Trials on disk: where each stands, and running one."""

import json
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from nst import process, record, runs
from nst.errors import InputError, Interrupted, RunError
from nst.runs.progress import Show
from nst.sweep import leases
from nst.sweep.plan import Plan, Trial, configured

#: Where a trial stands.
DONE, FAILED, RUNNING, BEGUN, WAITING = "done", "failed", "running", "begun", "waiting"


class Folder:
    """A sweep's directory: `trials/NAME` are run directories, `failures` and `leases` have a file for each."""

    def __init__(self, path: Path):
        self.path = path
        self.leases = path / "leases"

    def trial(self, trial: Trial) -> Path:
        """Its run directory."""
        return self.path / "trials" / trial.name

    def failure(self, trial: Trial) -> Path:
        """Where its error is told."""
        return self.path / "failures" / f"{trial.name}.json"

    def finished(self, trial: Trial) -> bool:
        """Whether nothing is left to do for it."""
        return (self.trial(trial) / "done").exists() or self.failure(trial).exists()

    def states(self, plan: Plan) -> dict[str, str]:
        """By name, where each trial stands."""
        held = leases.holders(self.leases)
        return {trial.name: self._state(trial, held) for trial in plan.trials}

    def _state(self, trial: Trial, held: dict[str, str]) -> str:
        if (self.trial(trial) / "done").exists():
            return DONE
        if self.failure(trial).exists():
            return FAILED
        if trial.name in held:
            return RUNNING
        return BEGUN if self.begun(trial) else WAITING

    def begun(self, trial: Trial) -> bool:
        """Whether there is something to go on with."""
        return (self.trial(trial) / "config.json").exists()

    def error(self, trial: Trial) -> str:
        """What went wrong, in one line."""
        try:
            return str(json.loads(self.failure(trial).read_text())["error"])
        except (OSError, ValueError, KeyError, TypeError):
            return "unknown"

    def fail(self, trial: Trial, error: str, details: str = "") -> None:
        """Record that it failed; what it had reached is kept."""
        line = " ".join(error.split())
        self.failure(trial).parent.mkdir(parents=True, exist_ok=True)
        record.write_json(self.failure(trial), {"trial": trial.name, "error": line, "details": details})

    def forget_failures(self, plan: Plan) -> None:
        """Let those that failed run once more."""
        for trial in plan.trials:
            self.failure(trial).unlink(missing_ok=True)


def run(folder: Folder, trial: Trial, config: ConfigDict, show: Show) -> None:
    """Run a trial, or what is left of it; an error is recorded and ends nothing else.

    Raises:
      Interrupted: A signal came; the state is kept.
    """
    workdir = folder.trial(trial)
    try:
        runs.run(
            config,
            workdir,
            resume=folder.begun(trial),
            show=show,
            leased=True,
            release=process.release_free_memory,
        )
    except Interrupted:
        raise
    except Exception as error:
        _record(folder, trial, config, error)


def save_missing_inputs(folder: Folder, plan: Plan) -> None:
    """Save the inputs of finished trials that an earlier version ran: reports show them. One that can't is left."""
    of = runs.modality(plan.config)
    for trial in plan.trials:
        path = folder.trial(trial)
        if (path / "done").exists() and any(of.missing(name, path) for name in of.inputs):
            try:
                runs.run(configured(plan, trial), path, resume=True)
            except (InputError, RunError, OSError) as error:
                warnings.warn(f"{path}: its inputs are not saved: {error}", stacklevel=2)


def run_together(
    folder: Folder, chosen: Sequence[Trial], configs: Sequence[ConfigDict], shows: Sequence[Show]
) -> None:
    """Run trials of one structure in lock-step, or one after the other if they can't go on so.

    Raises:
      Interrupted: A signal came; the states are kept.
    """
    try:
        begun = [(config, folder.trial(trial)) for config, trial in zip(configs, chosen, strict=True)]
        errors = runs.together(begun, shows=shows, release=process.release_free_memory)
    except Interrupted:
        raise
    except Exception as error:  # of all at once, such as memory: alone each may still come to its end
        warnings.warn(f"not in lock-step: {' '.join(str(error).split())}", stacklevel=2)
        for trial, config, show in zip(chosen, configs, shows, strict=True):
            run(folder, trial, config, show)
        return
    for trial, config, error in zip(chosen, configs, errors, strict=True):
        if error is not None:
            _record(folder, trial, config, error)


def _record(folder: Folder, trial: Trial, config: ConfigDict, error: Exception) -> None:
    """What a user can mend in a line; a fault of ours, from which the others need not suffer, with its traceback."""
    told = isinstance(error, InputError | RunError | OSError | MemoryError)
    what = str(error) or f"memory ran out: {runs.modality(config).remedy}"
    details = "" if told else "".join(traceback.format_exception(error))
    folder.fail(trial, what if told else f"{type(error).__name__}: {error}", details)
