"""One run from a config: the only reader of a ConfigDict. Validates, records, checkpoints, resumes."""

from pathlib import Path

from ml_collections import ConfigDict

from nst.config import validate
from nst.experiment import prepare
from nst.experiment.perform import perform
from nst.images import MAX_PIXELS

__all__ = ["run"]


def run(
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    max_pixels: int = MAX_PIXELS,
) -> list[Path]:
    """Stylise every content picture in every style picture that the config names.

    Args:
      config: As of `nst.config.base`.
      workdir: The run directory; where there are several pictures, the folder of their run directories.
      resume: Go on with what stands there, to the same bytes that it would have reached.
      output: Where the result is written as well, in the format of the extension.
      max_pixels: Larger pictures are refused before they are decoded.

    Returns:
      The run directories.

    Raises:
      InputError: Something in the config or a picture can't be used; nothing was computed.
      RunError: A value is not finite, or memory or disk ran out; the last good state is kept.
      Interrupted: A signal came; the state is kept.
    """
    validate(config)
    jobs = prepare.jobs(config, workdir)
    if output is not None:
        prepare.check_output(config, output, jobs)
    prepare.check_folders([job.folder for job in jobs], resume)
    shapes = prepare.shapes(config, jobs, max_pixels)
    extractor = prepare.extractor(config)
    for job in jobs:
        prepare.check_size(config, extractor, shapes[job.content], shapes[job.style])
    extractor = extractor.freeze(prepare.layers(config))
    for job in jobs:
        perform(config, job, extractor, resume=resume, output=output, max_pixels=max_pixels)
    return [job.folder for job in jobs]
