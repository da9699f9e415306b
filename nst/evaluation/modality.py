"""The interface of an evaluation: the functions that differ by modality."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nst.runs.finished import Finished
from nst.types import Values

#: Metrics by name, of each result and of the baselines `content` and `style`.
Figures = dict[str, dict[str, float]]


class Compared(NamedTuple):
    """The metrics of results and baselines.

    Attributes:
      figures: Metrics by name, of each.
      by_frame: Of video, values by name of all frames, of each result and of `content`.
    """

    figures: Figures
    by_frame: Mapping[str, Mapping[str, Sequence[float | None]]] = {}


#: Stands for folders among the extensions of an `Evaluation`.
FOLDER = "/"


class Evaluation(NamedTuple):
    """The functions that evaluate finished runs of a modality and results that any program made.

    Attributes:
      describe: Return the `layers`, the `inputs` and the `versions` on which the metrics of a run depend.
      metrics: Return the names of a run's metrics, without styles and regions.
      key: Return a key that runs of the same content and style share, given the run and `inputs`.
      read: Return the result of a run, as an array or as a clip that is read frame by frame, and what it is compared
        with, given its directory, the run and `inputs`.
      compare: Return the metrics of several results, given what they are compared with and one of their runs.
      extensions: The file extensions of results of this modality, in lower case, and `FOLDER` if they may be folders;
        empty for the modality that takes all others.
      of_results: Evaluate results of any program, given the content, the style, the paths, and the size or None.
    """

    describe: Callable[[Path, Finished], dict[str, Any]]
    metrics: Callable[[Finished], Sequence[str]]
    key: Callable[[Finished, Values], str]
    read: Callable[[Path, Finished, Values], tuple[Any, Any]]
    compare: Callable[[Any, Mapping[str, Any], Finished], Compared]
    extensions: frozenset[str]
    of_results: Callable[[str, str, Sequence[Path], int | None], dict[str, Any]]
