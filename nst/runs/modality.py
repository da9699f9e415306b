"""The modality of a run: what runs of images and of audio do in their own way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ml_collections import ConfigDict

from nst.stages import Release, Resume, Snapshot
from nst.types import Array, Values


class Job(NamedTuple):
    """One run: the files that it reads, by the name of the input, and the directory that it is kept in."""

    inputs: Mapping[str, Path]
    folder: Path


@runtime_checkable
class Task(Protocol):
    """A run whose inputs are read."""

    @property
    def files(self) -> dict[str, Any]:
        """The path and the SHA-256 of each input, by name."""
        ...

    def save_input(self, name: str, folder: Path) -> None:
        """Write the files of one input as the run uses it; the same bytes each time."""
        ...

    def snapshots(self, resume: Resume | None, release: Release) -> Iterator[Snapshot]:
        """Run, from the beginning or from where an earlier process stopped; `release` as in `nst.stages.run`."""
        ...

    def frame(self, image: Array, path: Path) -> None:
        """Write an intermediate result to `path`, which ends as the result's file does."""
        ...

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the result and its sheet.

        Args:
          image: `Snapshot.image` of the last one.
          folder: The run directory.
          facts: The config as JSON, for files that can carry it.
          output: Another place for the result.
        """
        ...


class File(NamedTuple):
    """A file of a run directory, and a picture of it: the file itself, or another; empty where there is none."""

    name: str
    preview: str = ""


class Limit(NamedTuple):
    """The largest input that is read: the flag that changes it, the default, and the flag's help."""

    flag: str
    value: int | float
    help: str


class Modality(NamedTuple):
    """A kind of media, and what its runs do in their own way.

    Attributes:
      name: The name in `MODALITIES`.
      group: The group of a config with the inputs and the seed.
      inputs: Inputs by name, and where a run directory keeps each as used. Every combination of their files is a run.
      optional: The same for inputs that a config may leave out. Each is one file at most.
      result: The result's file in a run directory. Intermediate results have the same suffix.
      config: The config file that a command names.
      limit: The largest input that is read.
      remedy: Advice where memory runs out.
      find: Return the files that an input of a config stands for; none for an optional input that is left out.
      each: Return the names of the files that the value of an input stands for, as a config has them.
      check_output: Raise InputError for a path whose format can't be written.
      check: Raise InputError for whatever a run could not use; return the extractor, which all jobs share.
      read: Read the inputs of a job, given the extractor and the limit.
      steps: Return the steps of a whole run, given the dotted names of its config.
      size: Return the setting that decides how much memory a run takes.
      batch_key: Return what runs must share, beyond the structure of their configs, to be computed together; None for
        a run that goes alone. Runs of a modality without it all go alone.
      batched: Compute the tasks of several runs together, given the extractor and `release`; yield a snapshot of each.
    """

    name: str
    group: str
    inputs: Mapping[str, File]
    result: File
    config: str
    limit: Limit
    remedy: str
    find: Callable[[ConfigDict, str], list[Path]]
    each: Callable[[str], list[str]]
    check_output: Callable[[Path], None]
    check: Callable[[ConfigDict, Sequence[Job], Any], Any]
    read: Callable[[ConfigDict, Job, Any, Any], Task]
    steps: Callable[[Values], int]
    size: Callable[[ConfigDict], str]
    optional: Mapping[str, File] = {}
    batch_key: Callable[[ConfigDict], str | None] | None = None
    batched: Callable[[Sequence[Any], Any, Release], Iterator[list[Snapshot]]] | None = None

    @property
    def suffix(self) -> str:
        """The suffix of results and of intermediate results."""
        return Path(self.result.name).suffix

    @property
    def saved(self) -> dict[str, File]:
        """All inputs that a run directory may have, by name."""
        return {**self.inputs, **self.optional}

    @property
    def files(self) -> tuple[str, ...]:
        """The files at the top of a run directory for people to open, in the order of a report's links."""
        inputs = (file.name for file in self.saved.values())
        names = (self.result.name, *inputs, "sheet.png", self.result.preview, "curve.png")
        return tuple(dict.fromkeys(filter(None, names)))

    def missing(self, name: str, folder: Path) -> bool:
        """Return whether a run directory lacks a file of the input `name`."""
        return any(file and not (folder / file).exists() for file in self.saved[name])
