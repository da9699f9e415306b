"""The jobs of a config, and all checks that precede computation."""

import itertools
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from nst import writers
from nst.config import fields, validate
from nst.errors import InputError
from nst.runs import memory
from nst.runs.modality import Job, Modality


def ready(
    modality: Modality,
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    limit: int | float,
    force: bool = False,
    writes: bool = True,
) -> tuple[list[Job], Any]:
    """Return the jobs and the extractor of a config after all checks.

    The arguments are those of `nst.runs.run`; with `writes` False nothing will be written, and no folder is checked.

    Raises:
      InputError: The config or an input is invalid.
    """
    validate(config)
    writers.check(config.run.writers)
    jobs = find_jobs(modality, config, workdir)
    if output is not None:
        check_output(modality, config, output, jobs)
    if writes:
        check_folders([job.folder for job in jobs], resume)
    with warnings.catch_warnings():
        warnings.simplefilter("default" if force else "error", memory.FarTooLargeWarning)
        try:
            return jobs, modality.check(config, jobs, limit)
        except memory.FarTooLargeWarning as warning:
            raise InputError(f"{warning}; nst run --force starts it all the same") from warning


def find_jobs(modality: Modality, config: ConfigDict, workdir: Path) -> list[Job]:
    """Return a job for each combination of input files.

    The run directory of a single job is `workdir` itself; several jobs have subfolders.

    Raises:
      InputError: An input can't be found, or two jobs would have the same run directory.
    """
    several = {name: modality.find(config, name) for name in modality.inputs}
    single = {name: paths[0] for name in modality.optional if (paths := _at_most_one(modality, config, name))}
    jobs = []
    for paths in itertools.product(*several.values()):
        main = dict(zip(several, paths, strict=True))
        further = modality.further(config, main) if modality.further else {}
        jobs.append(Job({**main, **single, **further}, workdir / "-".join(path.stem for path in paths)))
    if len(jobs) == 1:
        return [jobs[0]._replace(folder=workdir)]
    for name, paths in several.items():
        stems: dict[str, Path] = {}
        for path in paths:
            if (other := stems.setdefault(path.stem, path)) != path:
                raise InputError(f"{other} and {path} would give results of the same name: rename one {name}")
    if len({job.folder for job in jobs}) < len(jobs):  # a-b of c, and a of b-c
        raise InputError(f"{workdir}: two results would have the same name: rename a file with a hyphen")
    return jobs


def _at_most_one(modality: Modality, config: ConfigDict, name: str) -> list[Path]:
    paths = modality.find(config, name)
    if len(paths) > 1:
        field = modality.field(name)
        value = dict(fields(config))[field]
        raise InputError(f"config.{field} = {value!r}: {len(paths)} files, name one of them")
    return paths


def check_output(modality: Modality, config: ConfigDict, output: Path, jobs: Sequence[Job]) -> None:
    """Raise InputError if an output can't be written, stands for several results, or is an input or a run's file."""
    if output.is_dir():
        raise InputError(
            f"--output {output} is a folder: give a file, such as {output / modality.result.name}"
        )
    modality.check_output(config, output)
    if not _nearest(output.absolute().parent).is_dir():
        raise InputError(
            f"--output {output} can't be written, a folder or a file is in its place: give another"
        )
    if not os.access(_nearest(output.absolute().parent), os.W_OK | os.X_OK):
        raise InputError(f"--output {output} can't be written: no permission: give another folder")
    if len(jobs) > 1:
        raise InputError(f"--output {output}: there are {len(jobs)} results: leave it out, look in --workdir")
    if output.exists() and any(output.samefile(path) for path in jobs[0].inputs.values()):
        raise InputError(f"--output {output} is one of the files read: give another path")
    used = {*modality.saved, *jobs[0].inputs}
    own = {*modality.files(used), *(modality.file(name).preview for name in used)}
    if output.absolute() in [jobs[0].folder.absolute() / name for name in own]:
        raise InputError(f"--output {output} is one of the run's own files: give another path")


def check_folders(folders: Sequence[Path], resume: bool) -> None:
    """Raise InputError if a run would be overwritten, or if there is none to resume."""
    resumable = [folder for folder in folders if (folder / "config.json").exists()]
    if resume and not resumable:
        raise InputError(
            f"{folders[0]}: there is no run to resume: leave --resume out, or give its --workdir"
        )
    for folder in folders:
        if not _nearest(folder).is_dir():
            raise InputError(f"{folder} can't be made, a file is in its place: give another --workdir")
        if not os.access(_nearest(folder), os.W_OK | os.X_OK):
            raise InputError(f"{folder} can't be written: no permission: give another --workdir")
        if (resume and folder in resumable) or not folder.exists():
            continue
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InputError(f"{folder} is not empty: go on with --resume, or give another --workdir")


def _nearest(path: Path) -> Path:
    """Return the path itself, or its nearest parent that exists."""
    return next(candidate for candidate in (path, *path.absolute().parents) if candidate.exists())
