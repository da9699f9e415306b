"""Estimates of the time and the memory of a run on this machine, from a few of its steps."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import psutil
from ml_collections import ConfigDict

from nst.config import fields
from nst.runs.modality import Job, Modality, Task
from nst.stages import keep_memory

# Steps at each stage. The first ones compile; the others are timed.
_STEPS = 6
_STEP_FIELDS = ("optimizer.steps", "pyramid.steps", "pyramid.first_steps", "video.steps")

# Stages that are timed: the scales of a pyramid, or the first frames of a video.
_MOST_STAGES = 10


class StageTime(NamedTuple):
    """A stage of a run.

    Attributes:
      shape: The shape of the optimized image; of audio, of the spectrogram or the samples.
      steps: Steps of the stage in the run.
      seconds: Seconds of a step.
    """

    shape: tuple[int, ...]
    steps: int
    seconds: float


class Estimate(NamedTuple):
    """An estimate of the time and the memory of a run.

    Attributes:
      stages: The stages in order.
      startup: Seconds that are spent outside of steps, such as in compiling.
      memory: The largest number of bytes that this process has held.
    """

    stages: list[StageTime]
    startup: float
    memory: int

    @property
    def seconds(self) -> float:
        """Seconds of the whole run."""
        return self.startup + sum(stage.steps * stage.seconds for stage in self.stages)


def measure(modality: Modality, config: ConfigDict, job: Job, extractor: Any, limit: int | float) -> Estimate:
    """Take a few steps at each stage of a run, and write nothing.

    Args:
      modality: The modality of the run.
      config: Its resolved config.
      job: Its inputs.
      extractor: The extractor that `modality.check` returned.
      limit: The limit of inputs.
    """
    short = config.copy_and_resolve_references()
    values = dict(fields(config))
    with short.unlocked():
        short.update_from_flattened_dict(
            {name: min(values[name], _STEPS) for name in _STEP_FIELDS if name in values}
            | {"run.log_every": 1}
        )
    began, timed = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as folder:  # for the frames of a video
        own = job._replace(folder=Path(folder))
        whole = modality.read(config, own, extractor, limit).steps
        for stage, step, shape, at in _steps(modality.read(short, own, extractor, limit)):
            timed.setdefault(stage, []).append((step, shape, at))
    ended = time.monotonic()
    stages = []
    for index, steps in enumerate(whole):
        # Further frames of a video take as long as the last one that was timed.
        records = timed.get(index, timed[max(timed)])
        (first, _, start), (last, shape, end) = records[len(records) // 2], records[-1]
        stages.append(StageTime(shape, steps, (end - start) / max(1, last - first)))
    spent = sum(stage.seconds * min(stage.steps, _STEPS) for stage in stages[: len(timed)])
    return Estimate(stages, max(0.0, ended - began - spent), peak())


def _steps(task: Task) -> Iterator[tuple[int, int, tuple[int, ...], float]]:
    for snapshot in task.snapshots(None, keep_memory):
        if snapshot.stage == _MOST_STAGES:
            return
        jax.block_until_ready(snapshot.image)
        yield snapshot.stage, snapshot.step, tuple(snapshot.image.shape), time.monotonic()


def peak() -> int:
    """Return the largest number of bytes that this process has held: on the device, or on a CPU in memory."""
    statistics = jax.devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in statistics:
        return statistics["peak_bytes_in_use"]
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # not on Windows

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024
