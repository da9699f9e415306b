"""Trials on disk: their states, and functions that run them."""

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

#: States of a trial.
DONE, FAILED, RUNNING, BEGUN, WAITING = "done", "failed", "running", "begun", "waiting"


class Folder:
    """The directory of a sweep: run directories `trials/NAME`, and a file per trial in `failures` and `leases`."""

    def __init__(self, path: Path):
        self.path = path
        self.leases = path / "leases"

    def trial(self, trial: Trial) -> Path:
        """Return the run directory of a trial."""
        return self.path / "trials" / trial.name

    def failure(self, trial: Trial) -> Path:
        """Return the path of the file with the error of a trial."""
        return self.path / "failures" / f"{trial.name}.json"

    def finished(self, trial: Trial) -> bool:
        """Return whether a trial is done or has failed."""
        return (self.trial(trial) / "done").exists() or self.failure(trial).exists()

    def states(self, plan: Plan) -> dict[str, str]:
        """Return the state of each trial by name."""
        held = leases.holders(self.leases, touch=False)
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
        """Return whether a trial has a run directory that can be resumed."""
        return (self.trial(trial) / "config.json").exists()

    def error(self, trial: Trial) -> str:
        """Return the error of a failed trial in one line."""
        try:
            return str(json.loads(self.failure(trial).read_text())["error"])
        except (OSError, ValueError, KeyError, TypeError):
            return "unknown"

    def fail(self, trial: Trial, error: str, details: str = "") -> None:
        """Record that a trial failed; its run directory is kept."""
        line = " ".join(error.split())
        self.failure(trial).parent.mkdir(parents=True, exist_ok=True)
        record.write_json(self.failure(trial), {"trial": trial.name, "error": line, "details": details})

    def forget_failures(self, plan: Plan) -> None:
        """Delete the recorded failures, so that failed trials run again."""
        for trial in plan.trials:
            self.failure(trial).unlink(missing_ok=True)


def run(folder: Folder, trial: Trial, config: ConfigDict, show: Show) -> None:
    """Run or resume a trial; an error is recorded and does not affect other trials.

    Raises:
      Interrupted: SIGINT or SIGTERM; the state is saved.
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
    """Save the inputs of finished trials that an earlier version ran without saving them; reports show them.

    If the inputs of a trial can't be saved, a warning says why.
    """
    modality = runs.modality(plan.config)
    for trial in plan.trials:
        path = folder.trial(trial)
        if (path / "done").exists() and any(modality.missing(name, path) for name in modality.inputs):
            try:
                runs.run(configured(plan, trial), path, resume=True)
            except (InputError, RunError, OSError) as error:
                warnings.warn(f"{path}: the inputs could not be saved: {error}", stacklevel=2)


def run_together(
    folder: Folder, chosen: Sequence[Trial], configs: Sequence[ConfigDict], shows: Sequence[Show]
) -> None:
    """Run trials of one structure as a batch, or one after the other if the batch fails.

    Raises:
      Interrupted: SIGINT or SIGTERM; the states are saved.
    """
    try:
        jobs = [(config, folder.trial(trial)) for config, trial in zip(configs, chosen, strict=True)]
        errors = runs.together(jobs, shows=shows, release=process.release_free_memory)
    except Interrupted:
        raise
    except Exception as error:  # such as too little memory for all at once: alone, each may still succeed
        warnings.warn(
            f"the batch failed, its trials run one by one: {' '.join(str(error).split())}", stacklevel=2
        )
        for trial, config, show in zip(chosen, configs, shows, strict=True):
            run(folder, trial, config, show)
        return
    for trial, config, error in zip(chosen, configs, errors, strict=True):
        if error is not None:
            _record(folder, trial, config, error)


def _record(folder: Folder, trial: Trial, config: ConfigDict, error: Exception) -> None:
    """Record an error: one that a user can fix as one line, a bug with its traceback."""
    expected = isinstance(error, InputError | RunError | OSError | MemoryError)
    message = str(error) or f"memory ran out: {runs.modality(config).remedy}"
    details = "" if expected else "".join(traceback.format_exception(error))
    folder.fail(trial, message if expected else f"{type(error).__name__}: {error}", details)
