"""The audio and video files that a report plays."""

from collections.abc import Collection, Sequence
from pathlib import Path

from nst import files
from nst.report.runs import Run


class Playable:
    """The audio or video files of several runs: `paths` has each once.

    Args:
      runs: The runs.
      extensions: The extensions of the files, in lower case.
    """

    def __init__(self, runs: Sequence[Run], extensions: Collection[str]):
        self._extensions = extensions
        self.paths: list[str] = []
        self._by_hash: dict[str, int] = {}
        self._own = {run.folder: self._inputs(run) for run in runs}
        self._by_input: dict[tuple[str, str], int] = {}
        for run in runs:
            for name, index in self._own[run.folder].items():
                self._by_input.setdefault(run.input(name), index)

    def of(self, run: Run) -> dict[str, int]:
        """Return the indices in `paths` of a run's `result`, inputs and further files that can be played."""
        names = [name for name in run.inputs if run.input(name) in self._by_input]
        others = {name: self._by_input[run.input(name)] for name in names}
        latest = run.latest if self._plays(run.latest) else ""
        further = [run.folder / name for name in run.modality.others if self._plays(name)]
        own = self._own[run.folder] | {path.stem: self._add(path) for path in further if path.exists()}
        return others | own | ({"result": self._add(run.folder / latest)} if latest else {})

    def _inputs(self, run: Run) -> dict[str, int]:
        """Return the indices of the inputs as this run used them, which depends on its config too."""
        files_of = {name: run.modality.file(name) for name in run.inputs}
        paths = {name: run.folder / file.name for name, file in files_of.items() if self._plays(file.name)}
        return {name: self._index(path) for name, path in paths.items() if path.exists()}

    def _index(self, path: Path) -> int:
        digest = files.sha256(path)
        if digest not in self._by_hash:
            self._by_hash[digest] = self._add(path)
        return self._by_hash[digest]

    def _add(self, path: Path) -> int:
        self.paths.append(str(path))
        return len(self.paths) - 1

    def _plays(self, name: str) -> bool:
        return Path(name).suffix in self._extensions
