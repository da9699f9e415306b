"""The interface of a modality: the callbacks that differ between runs of images, audio and video."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ml_collections import ConfigDict

from nst.stages import Release, Resume, Snapshot
from nst.types import Array, Values


class Job(NamedTuple):
    """One run: its input files by name, and its run directory."""

    inputs: Mapping[str, Path]
    folder: Path


@runtime_checkable
class Task(Protocol):
    """A run with its inputs read."""

    @property
    def files(self) -> dict[str, Any]:
        """The path and the SHA-256 of each input, by name."""
        ...

    @property
    def steps(self) -> Sequence[int]:
        """The steps of each stage."""
        ...

    def save_input(self, name: str, folder: Path) -> None:
        """Write the files of one input as the run uses it; the same bytes each time."""
        ...

    def snapshots(self, resume: Resume | None, release: Release) -> Iterator[Snapshot]:
        """Yield the snapshots of the run, from the beginning or from a checkpoint; `release` as in `nst.stages.run`."""
        ...

    def frame(self, image: Array, path: Path) -> None:
        """Write an intermediate result to `path`, which has the suffix of the result's file."""
        ...

    def results(self, image: Array, folder: Path, facts: str, output: Path | None) -> None:
        """Write the result and its sheet.

        Args:
          image: `Snapshot.image` of the last snapshot.
          folder: The run directory.
          facts: The config as JSON, for formats that hold metadata.
          output: Another path for the result.
        """
        ...


def intervals(config: ConfigDict) -> tuple[int, ...]:
    """Return the intervals in steps at which a run writes something, for `nst.stages.run`."""
    return config.run.log_every, config.run.save_every, config.run.frame_every


class File(NamedTuple):
    """A file of a run directory, and its preview image: the file itself, another file, or empty if there is none."""

    name: str
    preview: str = ""


class Limit(NamedTuple):
    """The limit on the size of inputs: the flag that sets it, its default, and the help of the flag."""

    flag: str
    value: int | float
    help: str


class Modality(NamedTuple):
    """A kind of media, with the callbacks of its runs.

    Attributes:
      name: The name in `MODALITIES`.
      group: The group of config fields with the inputs and the seed.
      inputs: Inputs by name, and the file of a run directory that holds each as used. Every combination of their files
        is a run.
      optional: The same for inputs that a config may leave out. Each is one file at most.
      fields: Config fields of inputs and of the seed that are not in `group`, by `content`, `style`, …, or `seed`.
      frames: The suffix of intermediate results, if it is not that of the result.
      extends: Whether a finished run can be resumed with more steps.
      masks: The same for masks. There may be several of one name, and of a name in `inputs`: `style`, `style_2`, …
      result: The result's file in a run directory.
      others: Further files that a report shows, if a run directory has them.
      config: The config file that commands name.
      limit: The limit on the size of inputs.
      remedy: Advice if memory runs out.
      find: Return the files that an input of a config stands for; none for an optional input that is left out.
      each: `each(name, value)` returns the config values of the single files that the value of an input stands for.
      check_output: Raise InputError for a path in whose format the result of a config can't be written.
      check: Raise InputError if the config or an input is invalid; return the extractor, which all jobs share.
      read: Read the inputs of a job, given the extractor and the limit.
      further: Return the files of a job beyond `inputs` and `optional`, such as masks, by name.
      steps: Return the steps of each stage, given the values of its config by dotted name; None if they depend on the
        inputs, too, as those of a video (`Task.steps`).
      size: Return the setting that decides how much memory a run takes.
      batch_key: Return a key that the runs of a batch must share, beyond the structure of their configs; None for a run
        that is computed alone. All runs of a modality without this callback are computed alone.
      batched: Compute a batch of tasks, given the extractor and `release`; yield lists with a snapshot of each task.
    """

    name: str
    group: str
    inputs: Mapping[str, File]
    result: File
    config: str
    limit: Limit
    remedy: str
    find: Callable[[ConfigDict, str], list[Path]]
    each: Callable[[str, str], list[str]]
    check_output: Callable[[ConfigDict, Path], None]
    check: Callable[[ConfigDict, Sequence[Job], Any], Any]
    read: Callable[[ConfigDict, Job, Any, Any], Task]
    size: Callable[[ConfigDict], str]
    steps: Callable[[Values], Sequence[int]] | None = None
    optional: Mapping[str, File] = {}
    others: Sequence[str] = ()
    fields: Mapping[str, str] = {}
    frames: str = ""
    extends: bool = True
    masks: Mapping[str, File] = {}
    further: Callable[[ConfigDict, Mapping[str, Path]], Mapping[str, Path]] | None = None
    batch_key: Callable[[ConfigDict], str | None] | None = None
    batched: Callable[[Sequence[Any], Any, Release], Iterator[list[Snapshot]]] | None = None

    @property
    def suffix(self) -> str:
        """The suffix of intermediate results."""
        return self.frames or Path(self.result.name).suffix

    def field(self, name: str) -> str:
        """Return the config field of an input or of the seed."""
        return self.fields.get(name, f"{self.group}.{name}")

    @property
    def saved(self) -> dict[str, File]:
        """All inputs that a run directory may have, by name."""
        return {**self.inputs, **self.optional}

    def files(self, inputs: Iterable[str]) -> tuple[str, ...]:
        """Return the files at the top of a run directory that a report links to, in order.

        Args:
          inputs: The names of the inputs that the run has.
        """
        used = (self.file(name).name for name in inputs)
        names = (self.result.name, *used, "sheet.png", self.result.preview, *self.others, "curve.png")
        return tuple(dict.fromkeys(filter(None, names)))

    def names(self, recorded: Iterable[str]) -> list[str]:
        """Return the names of a run's inputs among those recorded: the main ones, further ones of the same, masks."""
        known = {*self.inputs, *self.masks}
        further = [name for name in recorded if re.sub(r"_\d+$", "", name) in known]
        return [*dict.fromkeys([*self.inputs, *further])]

    def file(self, name: str) -> File:
        """Return the file of an input as used; `style_2` has that of `style` with the number in its name."""
        own, _, number = name.rpartition("_")
        if not number.isdecimal():
            return {**self.saved, **self.masks}[name]
        names = (Path(each) if each else None for each in {**self.saved, **self.masks}[own])
        return File(*("" if each is None else f"{each.stem}_{number}{each.suffix}" for each in names))

    def missing(self, name: str, folder: Path) -> bool:
        """Return whether a run directory lacks a file of the input `name`."""
        return any(file and not (folder / file).exists() for file in self.file(name))
