"""Runs from a config: validated, recorded, checkpointed, resumed. Lower-level packages take no ConfigDict."""

from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from nst.config import modality_of
from nst.errors import InputError
from nst.runs import prepare, progress
from nst.runs.audio import AUDIO
from nst.runs.estimate import Estimate, measure
from nst.runs.follow import checked
from nst.runs.image import IMAGE
from nst.runs.modality import File, Job, Limit, Modality, Task
from nst.runs.perform import perform, perform_together
from nst.runs.video import VIDEO
from nst.stages import Release, keep_memory
from nst.types import Values

__all__ = [
    "MODALITIES",
    "Estimate",
    "File",
    "Job",
    "Limit",
    "Modality",
    "Task",
    "estimated",
    "modality",
    "run",
    "together",
]

#: The modalities by name.
MODALITIES: dict[str, Modality] = {each.name: each for each in (IMAGE, AUDIO, VIDEO)}


def modality(config: ConfigDict | Values) -> Modality:
    """Return the modality of a config, nested or by dotted names.

    Raises:
      InputError: The modality is unknown.
    """
    return MODALITIES[modality_of(config)]


def run(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    limit: int | float | None = None,
    show: progress.Show | None = None,
    leased: bool = False,
    force: bool = False,
    release: Release = keep_memory,
) -> list[Path]:
    """Stylize every content in every style that the config names.

    Args:
      config: A config with the fields of `nst.config.base`.
      workdir: The run directory, or, for several results, the folder of their run directories.
      resume: Resume the run in `workdir`. The result has the same bytes as that of an uninterrupted run.
      output: Another path for the result, in the format of its extension.
      limit: Refuse larger images (in pixels) or longer audio (in seconds) before they are decoded. By default the
        modality's `Limit`.
      show: Progress factory; by default a bar on a terminal or in a notebook, elsewhere a line each `run.log_every`
        steps.
      leased: The caller ensures that no other process works in `workdir`, so that no file is locked.
      force: Start even if the run needs far more memory than is free.
      release: Called when much memory has just become free.

    Returns:
      The run directories.

    Raises:
      InputError: The config or an input is invalid; nothing was computed.
      RunError: A value is not finite, the loss rose, or memory or disk ran out; the last good state is kept.
      Interrupted: SIGINT or SIGTERM; the state is saved.
    """
    own_modality, config = modality(config), checked(config)
    limit = own_modality.limit.value if limit is None else limit
    jobs, extractor = prepare.ready(
        own_modality, config, workdir, resume=resume, output=output, limit=limit, force=force
    )
    for job in jobs:
        perform(
            own_modality,
            config,
            job,
            extractor,
            resume=resume,
            output=output,
            limit=limit,
            show=show or progress.default(config.run.log_every),
            leased=leased,
            release=release,
        )
    return [job.folder for job in jobs]


def estimated(config: ConfigDict, *, limit: int | float | None = None, force: bool = False) -> Estimate:
    """Estimate the time and the memory of a run on this machine by a few steps at each stage; nothing is written.

    Args:
      config: As in `run`; of several runs, the first is estimated.
      limit: As in `run`.
      force: As in `run`.

    Raises:
      InputError: The config or an input is invalid.
    """
    own_modality, config = modality(config), checked(config)
    limit = own_modality.limit.value if limit is None else limit
    jobs, extractor = prepare.ready(own_modality, config, Path(), limit=limit, force=force, writes=False)
    return measure(own_modality, config, jobs[0], extractor, limit)


def together(
    runs: Sequence[tuple[ConfigDict, Path]],
    *,
    shows: Sequence[progress.Show],
    release: Release = keep_memory,
) -> list[Exception | None]:
    """Compute several new runs as a batch. They must share the modality, the structure and `Modality.batch_key`.

    Args:
      runs: Pairs of a config, which must be that of a single run, and a run directory, which no other process may use.
      shows: The progress factory of each run.
      release: Called when much memory has just become free.

    Returns:
      The error of each run, or None. A run that can't start does not affect the others.

    Raises:
      RunError: The batch failed; alone, each run may still succeed.
      Interrupted: SIGINT or SIGTERM; the states are saved.
    """
    errors: list[Exception | None] = [None] * len(runs)
    jobs: list[tuple[ConfigDict, prepare.Job]] = []
    indices, extractor = [], None
    own_modality = modality(runs[0][0])
    for i, (config, workdir) in enumerate(runs):
        try:
            config = checked(config)
            (job,), extractor = prepare.ready(own_modality, config, workdir, limit=own_modality.limit.value)
        except (InputError, OSError) as error:
            errors[i] = error
        else:
            jobs.append((config, job))
            indices.append(i)
    if extractor is not None:
        job_errors = perform_together(
            own_modality,
            jobs,
            extractor,
            limit=own_modality.limit.value,
            shows=[shows[i] for i in indices],
            release=release,
        )
        for i, error in zip(indices, job_errors, strict=True):
            errors[i] = error
    return errors
