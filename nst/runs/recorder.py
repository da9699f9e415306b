"""Recording a run: its directory from the first step or the last checkpoint to the result."""

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
from nst.config import fields
from nst.errors import InputError, RunError
from nst.runs import prepare
from nst.runs.follow import recorded
from nst.runs.modality import Job, Modality, Task
from nst.stages import Release, Resume, Snapshot, keep_memory
from nst.writers import Writer

# Of the loss that a stage begins with; more means that steps are too long.
_LARGEST_RISE = 1.01

# Where image and style are the content, a stage begins at a minimum: its loss is made of rounding errors.
_NEGLIGIBLE = 1e-5


class Recorder:
    """Writes a run directory, held by `opened`."""

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
        self._writer, self._shown = writer, earlier.step
        self._logged = max((line["step"] for line in record.metrics(folder / "metrics.jsonl")), default=-1)
        self._began: float | None = None  # the first step begins with the first snapshot
        self._seconds = earlier.seconds
        self._latest: Snapshot | None = None
        self._saved: Snapshot | None = None
        self._stage, self._start = earlier.stage, earlier.start

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self._modality.steps(dict(fields(self.config)))

    def take(self, snapshot: Snapshot) -> None:
        """Log and save the snapshot if its step is due.

        Raises:
          RunError: The stage before ended above the loss that it began with.
        """
        if snapshot.stage != self._stage:
            self._check_descent()
            self._stage, self._start = snapshot.stage, float(snapshot.state.value)
        self._latest = snapshot
        self._began = self._began or time.monotonic()
        self._seconds = self._earlier + time.monotonic() - self._began
        last = snapshot.step == self.total
        due = last or snapshot.step % self.config.run.log_every == 0
        if due and snapshot.step > self._logged:  # the start of a scale is the end of the one before
            self._log(snapshot)
        if last or snapshot.step % self.config.run.save_every == 0:
            self._save(snapshot)

    def _check_descent(self) -> None:
        """Raise RunError if the loss has risen by more than 1 % since the latest stage began."""
        if self._latest is None or self._start is None or self._latest.stochastic:
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
            "seconds": self._seconds,
            "start": self._start,
        }
        frame = _frame(self._folder, snapshot.step, self._modality.suffix)
        self.task.frame(snapshot.image, frame)
        if snapshot.step > self._shown:  # as in the log
            self._writer.frame(snapshot.step, frame)
            self._shown = snapshot.step
        if snapshot.step > 0:  # before, there is nothing to lose
            checkpoint.write(self._folder / "checkpoint", snapshot.step, snapshot.tree, facts)
        self._saved = snapshot

    def finish(self, output: Path | None = None, release: Release = keep_memory) -> None:
        """Write what the last snapshot came to, or raise RunError if its loss has risen.

        Args:
          output: Where the result is written too.
          release: Called where much memory has become free.
        """
        assert self._latest is not None  # the state it begins with is always among them
        self._check_descent()
        folder, image = self._folder, np.asarray(self._latest.image)
        self._latest = self._saved = None  # the history of L-BFGS need not be kept beside what is made now
        release()
        config = self._facts["config"]
        config = config | {"run": config["run"] | {"writers": []}}  # the same bytes whatever shows the run
        self.task.results(image, folder, json.dumps(config), output)
        record.write_curve(folder / "curve.png", record.metrics(folder / "metrics.jsonl"))
        files.write_bytes(folder / "done", b"")


class Earlier(NamedTuple):
    """Where an earlier process stopped; nowhere by default."""

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
    """Hold the directory of a run while the block lasts, its inputs saved; give None if the run is finished.

    Args:
      modality: The run's.
      config: The run's.
      job: Its inputs and directory.
      extractor: What the inputs are compared through.
      resume: Go on with what stands there.
      limit: The largest input that is read.
      leased: The caller has seen to it that no other process works here.

    Raises:
      InputError: The directory holds another run, or another process is at it.
      RunError: In the block, memory or the disk ran out.
    """
    folder = job.folder
    with explained(modality, config, folder), contextlib.nullcontext() if leased else record.lock(folder):
        begun = resume and (folder / "config.json").exists()
        prepare.check_folders([folder], begun)  # now that it is ours
        task = modality.read(config, job, extractor, limit)
        facts = record.describe(json.loads(config.to_json()), task.files)
        earlier = _earlier(folder, facts) if begun else Earlier()
        if earlier.finished:
            _save_inputs(modality, task, job)  # an earlier version did not
            yield None
            return
        lines = record.metrics(folder / "metrics.jsonl")
        frames = _frames(folder, earlier.step, modality.suffix)
        with writers.opened(config.run.writers, folder, facts, lines, frames) as writer:
            (folder / "done").unlink(missing_ok=True)  # the run was done for fewer steps
            record.write_json(folder / "config.json", facts)
            _save_inputs(modality, task, job)
            yield Recorder(config, folder, modality, task, facts, earlier, writer)


def _save_inputs(modality: Modality, task: Task, job: Job) -> None:
    """Write the inputs as used, those that are not there yet."""
    for name in job.inputs:
        if modality.missing(name, job.folder):
            task.save_input(name, job.folder)


def _frame(folder: Path, step: int, suffix: str) -> Path:
    return folder / "frames" / f"{step:06}{suffix}"


def _frames(folder: Path, last: int, suffix: str) -> dict[int, Path]:
    """Return the intermediate results of an earlier process, by step."""
    found = [path for path in (folder / "frames").glob(f"*{suffix}") if path.stem.isdecimal()]
    return {int(path.stem): path for path in found if int(path.stem) <= last}


def _earlier(folder: Path, facts: dict[str, Any]) -> Earlier:
    """Where the run in `folder` had got to; its records are cut back to there."""
    try:
        old = json.loads((folder / "config.json").read_text())
        configs = recorded(old["config"]), recorded(facts["config"])
        pairs = [configs, (_hashes(old["inputs"]), _hashes(facts["inputs"]))]
        changed = [x for before, now in pairs for x in record.differences(before, now)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}/config.json is damaged: start again in another --workdir") from error
    if changed:
        raise InputError(
            f"{folder} is another run ({'; '.join(changed)}): undo that, or give another --workdir"
        )
    steps = [each["config"]["optimizer"]["steps"] for each in (old, facts)]  # the only field that may grow
    if (folder / "done").exists() and steps[0] == steps[1]:
        return Earlier(finished=True)
    files.remove_unfinished(folder)
    found = checkpoint.read(folder / "checkpoint")
    if found is None:
        record.cut_back(folder / "metrics.jsonl", -1)
        return Earlier()
    where, arrays = found
    record.cut_back(folder / "metrics.jsonl", where["step"])
    stage = where["stage"] if "stage" in where else where["scale"]  # as earlier versions named it
    resume = Resume(stage, lambda like: checkpoint.restore(like, arrays))
    return Earlier(resume, where["step"], where["seconds"], stage=stage, start=where.get("start"))


def _hashes(inputs: dict[str, Any]) -> dict[str, Any]:
    """Without the paths: on another machine, or in another cache folder, the same picture lies elsewhere."""
    return {name: {"sha256": file["sha256"]} for name, file in inputs.items()}


@contextmanager
def explained(modality: Modality, config: ConfigDict, folder: Path) -> Iterator[None]:
    """Raise RunError with a remedy where memory or the disk runs out. Files written before are whole: see `files`."""
    try:
        yield
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        # XLA says RESOURCE_EXHAUSTED on a GPU, anything at all on a CPU.
        reason = " ".join(str(error).split()) or "memory ran out"
        raise RunError(
            f"{modality.size(config)} could not be computed ({reason}); if it is memory, {modality.remedy}"
        ) from error
    except OSError as error:
        raise RunError(
            f"{error.filename or folder}: {error.strerror or error}: mend that, then go on with --resume"
        ) from error
