"""The recorder of a run, which writes its directory from the first step or the last checkpoint to the result."""

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from nst import checkpoint, files, record, writers
from nst.errors import InputError, RunError
from nst.runs import prepare
from nst.runs.follow import recorded
from nst.runs.modality import Job, Modality, Task
from nst.runs.repeat import files_used
from nst.stages import Release, Resume, Snapshot, keep_memory
from nst.writers import Writer

# Largest ratio of the last loss of a stage to its first; above it, steps are too long.
_LARGEST_RISE = 1.01

# A smaller loss is rounding error: a stage that begins at a minimum, as when the style is the content, may raise it.
_NEGLIGIBLE = 1e-5


class Recorder:
    """Writer of a run directory; made by `opened`, which locks the directory."""

    def __init__(
        self,
        config: ConfigDict,
        folder: Path,
        modality: Modality,
        task: Task,
        facts: dict[str, Any],
        earlier: "Earlier",
        writer: Writer,
    ):
        self.config, self.task, self.resume = config, task, earlier.resume
        self._modality = modality
        self._folder, self._facts, self._earlier = folder, facts, earlier.seconds
        self._writer, self._last_frame = writer, earlier.step
        self._logged = max((line["step"] for line in record.metrics(folder / "metrics.jsonl")), default=-1)
        self._began: float | None = None  # set by the first snapshot, at which the first step begins
        self._seconds = earlier.seconds
        self._latest: Snapshot | None = None
        self._saved: Snapshot | None = None
        self._stage, self._start = earlier.stage, earlier.start

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return sum(self.task.steps)

    def take(self, snapshot: Snapshot) -> None:
        """Log and save the snapshot if its step is due.

        Raises:
          RunError: The previous stage ended with a higher loss than it began with.
        """
        if snapshot.stage != self._stage:
            self._check_descent()
            self._stage, self._start = snapshot.stage, float(snapshot.state.value)
        self._latest = snapshot
        self._began = self._began or time.monotonic()
        self._seconds = self._earlier + time.monotonic() - self._began
        last = snapshot.final
        due = last or snapshot.step % self.config.run.log_every == 0
        if due and snapshot.step > self._logged:  # a stage begins at the step that ended the previous one
            self._log(snapshot)
        if last or snapshot.step % self.config.run.save_every == 0:
            self._save(snapshot)
        elif snapshot.step % self.config.run.frame_every == 0:
            self._write_frame(snapshot)

    def _check_descent(self) -> None:
        """Raise RunError if the loss has risen by more than 1 % since the latest stage began."""
        if self._latest is None or self._start is None or self._latest.stochastic:
            return
        if self._latest.compared is not None:  # near a minimum, the few steps of a frame may raise the loss
            return
        end = float(self._latest.state.value)
        if self._start > _NEGLIGIBLE and end > _LARGEST_RISE * self._start:
            self.save()
            raise RunError(
                f"the loss rose from {self._start:.4g} to {end:.4g} in stage {self._stage + 1}, which ended at step "
                f"{self._latest.step}: lower optimizer.learning_rate, or leave it unset"
            )

    def save(self) -> None:
        """Save the latest snapshot unless it is saved already."""
        if self._latest is not None and self._latest is not self._saved:
            self._save(self._latest)

    def _log(self, snapshot: Snapshot) -> None:
        terms = {name: float(value) for name, value in snapshot.state.terms.items()}
        line = {
            "step": snapshot.step,
            "evaluations": snapshot.evaluations,
            "seconds": round(self._seconds, 3),
        }
        line |= {"loss": float(snapshot.state.value)} | terms
        record.append(self._folder / "metrics.jsonl", line)
        self._writer.log(line)
        self._logged = snapshot.step

    def _save(self, snapshot: Snapshot) -> None:
        facts = {
            "stage": snapshot.stage,
            "step": snapshot.step,
            "evaluations": snapshot.evaluations,
            "seconds": self._seconds,
            "start": self._start,
        }
        self._write_frame(snapshot)
        if snapshot.step > 0:  # at step 0 there is nothing to lose
            checkpoint.write(self._folder / "checkpoint", snapshot.step, snapshot.tree, facts)
        self._saved = snapshot

    def _write_frame(self, snapshot: Snapshot) -> None:
        frame = _frame(self._folder, snapshot.step, self._modality.suffix)
        self.task.frame(snapshot.image, frame)
        if snapshot.step > self._last_frame:  # once per step, as in the log
            self._writer.frame(snapshot.step, frame)
            self._last_frame = snapshot.step

    def finish(self, output: Path | None = None, release: Release = keep_memory) -> None:
        """Write the result of the last snapshot.

        Args:
          output: Another path for the result.
          release: Called when much memory has become free.

        Raises:
          RunError: The loss rose in the last stage.
        """
        assert self._latest is not None  # there is at least the initial snapshot
        self._check_descent()
        folder, image = self._folder, np.asarray(self._latest.image)
        self._latest = self._saved = None  # frees the history of L-BFGS before the results are made
        release()
        config = self._facts["config"]
        config = config | {
            "run": config["run"] | {"writers": []}
        }  # the result must not depend on the writers
        self.task.results(image, folder, json.dumps(config), output)
        record.write_curve(folder / "curve.png", record.metrics(folder / "metrics.jsonl"))
        files.write_bytes(folder / "done", b"")


class Earlier(NamedTuple):
    """The point at which an earlier process stopped; by default there is none."""

    resume: Resume | None = None
    step: int = -1
    seconds: float = 0.0
    finished: bool = False
    stage: int = -1
    start: float | None = None  # the loss that the stage began with


@contextmanager
def opened(
    modality: Modality,
    config: ConfigDict,
    job: Job,
    extractor: Any,
    *,
    resume: bool,
    limit: int | float,
    leased: bool,
) -> Iterator[Recorder | None]:
    """Lock a run directory while the block runs, save the inputs, and yield a recorder; None if the run is finished.

    Args:
      modality: The modality of the run.
      config: The config of the run.
      job: The inputs and the directory of the run.
      extractor: The extractor that `Modality.check` returned.
      resume: Resume the run in the directory.
      limit: The limit on the size of inputs.
      leased: The caller ensures that no other process works in the directory, so that no file is locked.

    Raises:
      InputError: The directory holds another run, or another process uses it.
      RunError: Memory or the disk ran out in the block.
    """
    folder = job.folder
    with explained(modality, config, folder), contextlib.nullcontext() if leased else record.lock(folder):
        resumed = resume and (folder / "config.json").exists()
        prepare.check_folders([folder], resumed)  # again, now that the directory is locked
        task = modality.read(config, job, extractor, limit)
        facts = record.describe(json.loads(config.to_json()), task.files)
        earlier = _earlier(folder, facts, modality) if resumed else Earlier()
        if earlier.finished:
            _save_inputs(modality, task, job)  # an earlier version did not save them
            yield None
            return
        lines = record.metrics(folder / "metrics.jsonl")
        frames = _frames(folder, earlier.step, modality.suffix)
        with writers.opened(config.run.writers, folder, facts, lines, frames) as writer:
            (folder / "done").unlink(missing_ok=True)  # the run was finished with fewer steps
            record.write_json(folder / "config.json", facts)
            _save_inputs(modality, task, job)
            yield Recorder(config, folder, modality, task, facts, earlier, writer)


def _save_inputs(modality: Modality, task: Task, job: Job) -> None:
    """Write the inputs as used, unless they are there already."""
    for name in job.inputs:
        if modality.missing(name, job.folder):
            task.save_input(name, job.folder)


def _frame(folder: Path, step: int, suffix: str) -> Path:
    return folder / "frames" / f"{step:06}{suffix}"


def _frames(folder: Path, last: int, suffix: str) -> dict[int, Path]:
    """Return the intermediate results of an earlier process up to step `last`, by step."""
    paths = [path for path in (folder / "frames").glob(f"*{suffix}") if path.stem.isdecimal()]
    return {int(path.stem): path for path in paths if int(path.stem) <= last}


def _earlier(folder: Path, facts: dict[str, Any], modality: Modality) -> Earlier:
    """Return the point at which the run in `folder` stopped, after cutting its records back to that point."""
    try:
        old = json.loads((folder / "config.json").read_text())
        configs = (files_used(recorded(each["config"]), each["inputs"], modality) for each in (old, facts))
        pairs = [tuple(configs), (_hashes(old["inputs"]), _hashes(facts["inputs"]))]
        may_grow = ("optimizer.steps",) if modality.extends else ()
        changed = [x for before, now in pairs for x in record.differences(before, now, may_grow=may_grow)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json is damaged: start again in another --workdir") from error
    if changed:
        raise InputError(
            f"{folder} holds another run ({'; '.join(changed)}): undo the change, or give another --workdir"
        )
    steps = [each["config"]["optimizer"]["steps"] for each in (old, facts)]  # the only field that may grow
    if (folder / "done").exists() and steps[0] == steps[1]:
        return Earlier(finished=True)
    files.remove_unfinished(folder)
    saved = checkpoint.read(folder / "checkpoint")
    if saved is None:
        record.cut_back(folder / "metrics.jsonl", -1)
        return Earlier()
    point, arrays = saved
    record.cut_back(folder / "metrics.jsonl", point["step"])
    stage = point["stage"] if "stage" in point else point["scale"]  # the name in earlier versions
    resume = Resume(stage, lambda like: checkpoint.restore(like, arrays), point.get("evaluations"))
    return Earlier(resume, point["step"], point["seconds"], stage=stage, start=point.get("start"))


def _hashes(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the hashes without the paths: on another machine or in another cache folder, paths differ."""
    return {name: {"sha256": file["sha256"]} for name, file in inputs.items()}


@contextmanager
def explained(modality: Modality, config: ConfigDict, folder: Path) -> Iterator[None]:
    """Raise RunError with a remedy if memory or the disk runs out. Files are written whole or not at all."""
    try:
        yield
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        # XLA reports RESOURCE_EXHAUSTED on a GPU; on a CPU, the message can be anything.
        reason = " ".join(str(error).split()) or "memory ran out"
        raise RunError(
            f"{modality.size(config)} could not be computed ({reason}); if memory is the cause, {modality.remedy}"
        ) from error
    except OSError as error:
        raise RunError(
            f"{error.filename or folder}: {error.strerror or error}: fix that, then go on with --resume"
        ) from error
