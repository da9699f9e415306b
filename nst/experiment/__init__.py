"""Runs from a config: the only reader of a ConfigDict. Validates, records, checkpoints, resumes."""

from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from nst.errors import InputError
from nst.experiment import prepare, progress
from nst.experiment.perform import perform, perform_together
from nst.images import MAX_PIXELS

__all__ = ["run", "together"]


def run(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    max_pixels: int = MAX_PIXELS,
    show: progress.Show = progress.bar,
    leased: bool = False,
) -> list[Path]:
    """Stylise every content picture in every style picture that the config names.

    Args:
      config: As of `nst.config.base`.
      workdir: The run directory; where there are several pictures, the folder of their run directories.
      resume: Go on with what stands there, to the same bytes that it would have reached.
      output: Where the result is written as well, in the format of the extension.
      max_pixels: Larger pictures are refused before they are decoded.
      show: What is told of the steps: a bar on the terminal by default.
      leased: The caller has seen to it that no other process works here: no file is locked.

    Returns:
      The run directories.

    Raises:
      InputError: Something in the config or a picture can't be used; nothing was computed.
      RunError: A value is not finite, or memory or disk ran out; the last good state is kept.
      Interrupted: A signal came; the state is kept.
    """
    jobs, extractor = prepare.ready(config, workdir, resume=resume, output=output, max_pixels=max_pixels)
    for job in jobs:
        perform(
            config,
            job,
            extractor,
            resume=resume,
            output=output,
            max_pixels=max_pixels,
            show=show,
            leased=leased,
        )
    return [job.folder for job in jobs]


def together(
    runs: Sequence[tuple[ConfigDict, Path]], *, shows: Sequence[progress.Show], max_pixels: int = MAX_PIXELS
) -> list[Exception | None]:
    """Begin several runs of one structure and one picture each, and go through them in lock-step.

    Args:
      runs: Configs and run directories, which no other process may work in.
      shows: What is told of the steps of each.
      max_pixels: Larger pictures are refused before they are decoded.

    Returns:
      For each the error that kept it from its end, or None; those that could not begin leave the others alone.

    Raises:
      RunError: They could not go on together: each may still alone.
      Interrupted: A signal came; the states are kept.
    """
    errors: list[Exception | None] = [None] * len(runs)
    jobs: list[tuple[ConfigDict, prepare.Job]] = []
    places, extractor = [], None
    for i, (config, workdir) in enumerate(runs):
        try:
            (job,), extractor = prepare.ready(config, workdir, max_pixels=max_pixels)
        except (InputError, OSError) as error:
            errors[i] = error
        else:
            jobs.append((config, job))
            places.append(i)
    if extractor is not None:
        found = perform_together(jobs, extractor, max_pixels=max_pixels, shows=[shows[i] for i in places])
        for i, error in zip(places, found, strict=True):
            errors[i] = error
    return errors
