"""Runs from a config: the only reader of a ConfigDict. Validates, records, checkpoints, resumes."""

from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from nst.config import modality_of
from nst.errors import InputError
from nst.runs import prepare, progress
from nst.runs.audio import AUDIO
from nst.runs.follow import checked
from nst.runs.image import IMAGE
from nst.runs.modality import File, Job, Limit, Modality, Task
from nst.runs.perform import perform, perform_together
from nst.stages import Release, keep_memory
from nst.types import Values

__all__ = ["MODALITIES", "File", "Job", "Limit", "Modality", "Task", "modality", "run", "together"]

#: The modalities by name.
MODALITIES: dict[str, Modality] = {each.name: each for each in (IMAGE, AUDIO)}


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
    show: progress.Show = progress.bar,
    leased: bool = False,
    release: Release = keep_memory,
) -> list[Path]:
    """Stylize every content in every style that the config names.

    Args:
      config: As of `nst.config.base`.
      workdir: The run directory; where there are several results, the folder of their run directories.
      resume: Go on with what stands there, to the same bytes that it would have reached.
      output: Where the result is written as well, in the format of the extension.
      limit: Larger images (in pixels) or longer audio (in seconds) is refused before it is decoded. By default the
        modality's `Limit`.
      show: Progress factory; a bar on the terminal by default.
      leased: The caller ensures that no other process works here: no file is locked.
      release: Called where much memory has just become free.

    Returns:
      The run directories.

    Raises:
      InputError: Something in the config or an input can't be used; nothing was computed.
      RunError: A value is not finite, or memory or disk ran out; the last good state is kept.
      Interrupted: A signal came; the state is kept.
    """
    of, config = modality(config), checked(config)
    limit = of.limit.value if limit is None else limit
    jobs, extractor = prepare.ready(of, config, workdir, resume=resume, output=output, limit=limit)
    for job in jobs:
        perform(
            of,
            config,
            job,
            extractor,
            resume=resume,
            output=output,
            limit=limit,
            show=show,
            leased=leased,
            release=release,
        )
    return [job.folder for job in jobs]


def together(
    runs: Sequence[tuple[ConfigDict, Path]],
    *,
    shows: Sequence[progress.Show],
    release: Release = keep_memory,
) -> list[Exception | None]:
    """Begin several runs of one modality, structure and `Modality.batch_key`, and perform them in lock-step.

    Args:
      runs: Configs, each of a single run, and run directories, which no other process may work in.
      shows: Progress factory of each.
      release: Called where much memory has just become free.

    Returns:
      The error of each run, or None. A run that can't begin leaves the others alone.

    Raises:
      RunError: They could not go on together: each may still alone.
      Interrupted: A signal came; the states are kept.
    """
    errors: list[Exception | None] = [None] * len(runs)
    jobs: list[tuple[ConfigDict, prepare.Job]] = []
    places, extractor = [], None
    of = modality(runs[0][0])
    for i, (config, workdir) in enumerate(runs):
        try:
            config = checked(config)
            (job,), extractor = prepare.ready(of, config, workdir, limit=of.limit.value)
        except (InputError, OSError) as error:
            errors[i] = error
        else:
            jobs.append((config, job))
            places.append(i)
    if extractor is not None:
        ended = perform_together(
            of, jobs, extractor, limit=of.limit.value, shows=[shows[i] for i in places], release=release
        )
        for i, error in zip(places, ended, strict=True):
            errors[i] = error
    return errors
