"""What a config asks for, and every reason to refuse it before anything is computed, whatever it is of."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ml_collections import ConfigDict

from nst import writers
from nst.config import validate
from nst.errors import InputError
from nst.scale import Resume, Snapshot
from nst.types import Array


class Job(NamedTuple):
    """One run: its two inputs, and the directory that it is kept in."""

    content: Path
    style: Path
    folder: Path


@runtime_checkable
class Task(Protocol):
    """A run whose inputs are read."""

    @property
    def files(self) -> dict[str, Any]:
        """By name the path and the SHA-256 of each input."""
        ...

    def snapshots(self, resume: Resume | None) -> Iterator[Snapshot]:
        """The run, from where it begins or an earlier one stood."""
        ...

    def frame(self, params: Array, path: Path) -> None:
        """Write what has been reached, `path` with the suffix of the kind."""
        ...

    def results(self, params: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write what the run came to; `facts` tells in the result how it was made, `output` is another place for it."""
        ...


class Kind(NamedTuple):
    """What runs of pictures and of sounds do each in their way.

    Attributes:
      group: The group of a config that says what is stylised.
      result: The file that a run is for.
      files: All that it leaves at the top of its directory for people to look at.
      suffix: Of intermediate results.
      limit: Of what is read: pixels, or seconds.
      remedy: If memory ran out.
      find: The files that a config's content or style stands for.
      each: The same as a config has them: the name itself, unless it stands for several.
      check_output: Refuses a path of a format that can't be written.
      inputs: The files that a job reads, by name.
      check: Every reason to refuse; gives what the inputs are seen through, which all jobs share.
      read: Reads the inputs of a job, given the extractor and the limit.
      steps: Of the whole run.
      size: What decides how much memory a run takes, as a user set it.
    """

    group: str
    result: str
    files: tuple[str, ...]
    suffix: str
    limit: int | float
    remedy: str
    find: Callable[[str], list[Path]]
    each: Callable[[str], list[str]]
    check_output: Callable[[Path], None]
    inputs: Callable[[ConfigDict, Job], dict[str, Path]]
    check: Callable[[ConfigDict, Sequence[Job], Any], Any]
    read: Callable[[ConfigDict, Job, Any, Any], Task]
    steps: Callable[[ConfigDict], int]
    size: Callable[[ConfigDict], str]


def ready(
    kind: Kind,
    config: ConfigDict,
    workdir: Path,
    *,
    resume: bool = False,
    output: Path | None = None,
    limit: int | float,
) -> tuple[list[Job], Any]:
    """The jobs and the extractor that a config asks for, with every reason to refuse it looked for.

    The arguments are those of `nst.runs.run`.

    Raises:
      InputError: Something in it or an input can't be used.
    """
    validate(config)
    writers.check(config.run.writers)
    found = jobs(kind, config, workdir)
    if output is not None:
        check_output(kind, config, output, found)
    check_folders([job.folder for job in found], resume)
    return found, kind.check(config, found, limit)


def jobs(kind: Kind, config: ConfigDict, workdir: Path) -> list[Job]:
    """One job for each content and style: in `workdir`, or in folders of it where there are several."""
    contents, styles = (kind.find(config[kind.group][name]) for name in ("content", "style"))
    if len(contents) * len(styles) == 1:
        return [Job(contents[0], styles[0], workdir)]
    found = [Job(c, s, workdir / f"{c.stem}-{s.stem}") for c, s in itertools.product(contents, styles)]
    if len({job.folder for job in found}) < len(found):
        raise InputError(
            f"{config[kind.group].content}: two files share a name up to the extension: rename one"
        )
    return found


def check_output(kind: Kind, config: ConfigDict, output: Path, jobs: Sequence[Job]) -> None:
    """Refuse an output of unknown format, one for several results, or one that is an input."""
    kind.check_output(output)
    if output.is_dir() or not _nearest(output.absolute().parent).is_dir():
        raise InputError(
            f"--output {output} can't be written, a folder or a file is in its place: give another"
        )
    if len(jobs) > 1:
        raise InputError(f"--output {output}: there are {len(jobs)} results: leave it out, look in --workdir")
    if output.exists() and any(output.samefile(path) for path in kind.inputs(config, jobs[0]).values()):
        raise InputError(f"--output {output} is one of the files read: give another path")
    if output.absolute() in [jobs[0].folder.absolute() / name for name in kind.files]:
        raise InputError(f"--output {output} is one of the run's own files: give another path")


def check_folders(folders: Sequence[Path], resume: bool) -> None:
    """Refuse to overwrite a run, and to resume where there is none."""
    begun = [folder for folder in folders if (folder / "config.json").exists()]
    if resume and not begun:
        raise InputError(
            f"{folders[0]}: there is no run to resume: leave --resume out, or give its --workdir"
        )
    for folder in folders:
        if not _nearest(folder).is_dir():
            raise InputError(f"{folder} can't be made, a file is in its place: give another --workdir")
        if (resume and folder in begun) or not folder.exists():
            continue
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InputError(f"{folder} is not empty: go on with --resume, or give another --workdir")


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest of its parents that exists."""
    return next(candidate for candidate in (path, *path.absolute().parents) if candidate.exists())
