"""Runs from a config: the only reader of a ConfigDict. Validates, records, checkpoints, resumes."""

from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from nst.config import kind_of
from nst.errors import InputError
from nst.runs import prepare, progress
from nst.runs.audio import SOUNDS
from nst.runs.image import PICTURES
from nst.runs.perform import perform, perform_together
from nst.runs.prepare import Kind

__all__ = ["kind", "run", "together"]

_KINDS = {kind.group: kind for kind in (PICTURES, SOUNDS)}


def kind(config: ConfigDict) -> Kind:
    """What a config's runs are of, or InputError."""
    return _KINDS[kind_of(config)]


def run(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    limit: int | float | None = None,
    show: progress.Show = progress.bar,
    leased: bool = False,
) -> list[Path]:
    """Stylise every content, picture or sound, in every style that the config names.

    Args:
      config: As of `nst.config.base`.
      workdir: The run directory; where there are several results, the folder of their run directories.
      resume: Go on with what stands there, to the same bytes that it would have reached.
      output: Where the result is written as well, in the format of the extension.
      limit: Larger pictures (in pixels) or longer sounds (in seconds) are refused before they are decoded: by default
        those beyond `nst.images.MAX_PIXELS` and `nst.sounds.MAX_SECONDS`.
      show: What is told of the steps: a bar on the terminal by default.
      leased: The caller has seen to it that no other process works here: no file is locked.

    Returns:
      The run directories.

    Raises:
      InputError: Something in the config or an input can't be used; nothing was computed.
      RunError: A value is not finite, or memory or disk ran out; the last good state is kept.
      Interrupted: A signal came; the state is kept.
    """
    of = kind(config)
    limit = of.limit if limit is None else limit
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
        )
    return [job.folder for job in jobs]


def together(
    runs: Sequence[tuple[ConfigDict, Path]], *, shows: Sequence[progress.Show]
) -> list[Exception | None]:
    """Begin several runs of pictures, of one structure and one picture each, and go through them in lock-step.

    Args:
      runs: Configs and run directories, which no other process may work in.
      shows: What is told of the steps of each.

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
            (job,), extractor = prepare.ready(PICTURES, config, workdir, limit=PICTURES.limit)
        except (InputError, OSError) as error:
            errors[i] = error
        else:
            jobs.append((config, job))
            places.append(i)
    if extractor is not None:
        found = perform_together(jobs, extractor, limit=PICTURES.limit, shows=[shows[i] for i in places])
        for i, error in zip(places, found, strict=True):
            errors[i] = error
    return errors
