"""Every metric of finished runs, or of results that any program made, beside the two baselines."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

from nst import record
from nst.arguments import Parser
from nst.errors import InputError
from nst.evaluation import table
from nst.evaluation.audio import AUDIO
from nst.evaluation.image import IMAGE
from nst.evaluation.modality import Evaluation, Figures
from nst.metrics import BASELINES
from nst.runs.finished import Finished, finished
from nst.types import Values

#: How each modality is evaluated, by the names of `nst.runs.MODALITIES`; results of any program by the first here.
EVALUATIONS: dict[str, Evaluation] = {"image": IMAGE, "audio": AUDIO}


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments (without the program's name) ask for."""
    parser = Parser(prog="scripts/evaluate.py", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="directories of runs or sweeps, or results")
    parser.add_argument("--content", help="the content of the results")
    parser.add_argument("--style", help="the style of the results")
    parser.add_argument(
        "--size", type=int, help="longest side that content and style are brought to, of images"
    )
    parser.add_argument("--json", type=Path, help="write the figures of the results here")
    parser.add_argument("--again", action="store_true", help="also what is evaluated already")
    options = parser.parse_args(list(arguments))
    if options.content is None and options.style is None:
        if options.size is not None or options.json is not None:
            raise InputError("--size and --json are for results: add their --content and --style")
        of_runs([folder for path in options.paths for folder in runs(path)], again=options.again)
        return
    if options.content is None or options.style is None or options.again:
        raise InputError("results need both --content and --style, and no --again")
    evaluation = _evaluation_of(options.paths)
    found = evaluation.of_results(options.content, options.style, options.paths, options.size)
    if options.json is not None:
        record.write_json(options.json, found)
    baselines = {"baselines": found["baselines"], "layers": found["layers"]}
    table.show({name: baselines | {"metrics": row} for name, row in found["results"].items()})


def _evaluation_of(results: Sequence[Path]) -> Evaluation:
    """Return the evaluation of results that any program made, by their extensions.

    Raises:
      InputError: They are of two modalities.
    """
    names = {_modality_of(path): path for path in results}
    if len(names) > 1:
        (a, first), (b, second), *_ = names.items()
        raise InputError(f"{first} is of modality {a} and {second} of {b}: evaluate them apart")
    return EVALUATIONS[next(iter(names))]


def _modality_of(path: Path) -> str:
    suffix = path.suffix.lower()
    return next(
        (name for name, each in EVALUATIONS.items() if suffix in each.extensions), next(iter(EVALUATIONS))
    )


def runs(path: Path) -> list[Path]:
    """A run directory itself; of a sweep's, or of a folder of runs, those that are finished.

    Raises:
      InputError: There is none.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such directory: give one of scripts/run.py or scripts/sweep.py")
    if (path / "config.json").exists():
        return [path]
    within = path / "trials" if (path / "trials").is_dir() else path
    found = sorted(done.parent for done in within.glob("*/done"))
    if not found:
        raise InputError(
            f"{path} has no finished run: give a directory of scripts/run.py or scripts/sweep.py"
        )
    return found


def of_runs(folders: Sequence[Path], *, again: bool = False) -> dict[str, dict[str, Any]]:
    """Evaluate finished runs, keep that as `evaluation.json` in each, and print their figures.

    Runs of the same content and style share what is computed of those. One that can't be evaluated leaves the others
    alone.

    Args:
      folders: The run directories.
      again: Evaluate them in any case, also where that file is of the same.

    Returns:
      By folder `metrics` of the result and `baselines`, by the names of `METRICS`, for audio of `SOUND_METRICS`;
      `terms` of the loss at the end; `layers` optimized and held out, none for audio; path and SHA-256 of `inputs`;
      `versions`.

    Raises:
      InputError: One or more can't be evaluated; raised after all others are.
      RunError: Memory ran out.
    """
    found: dict[str, dict[str, Any]] = {}
    errors: list[InputError] = []
    due: dict[str, list[_Due]] = {}
    for folder in folders:
        with _noted(errors):
            run = finished(folder)
            evaluation = _evaluation(run, folder)
            facts = evaluation.describe(folder, run)
            facts = {"terms": run.terms} | facts | {"inputs": {"result": run.result} | facts["inputs"]}
            earlier = _earlier(folder / record.EVALUATION)
            if not again and _is_of(earlier, facts, evaluation.metrics(run)):
                found[str(folder)] = earlier
            else:
                key = f"{run.modality.name} {evaluation.key(run, facts['inputs'])}"
                due.setdefault(key, []).append(_Due(folder, run, facts))
    groups = [runs[i : i + _TOGETHER] for runs in due.values() for i in range(0, len(runs), _TOGETHER)]
    for alike in track(groups, "evaluating", console=Console(stderr=True), transient=True):
        with _noted(errors):
            found |= _of_alike(alike, errors)
    short = len({folder.name for folder in folders}) == len(folders)
    shown = [folder for folder in folders if str(folder) in found]
    table.show({folder.name if short else str(folder): found[str(folder)] for folder in shown})
    if errors:
        more = f" ({len(errors) - 1} more could not be evaluated either)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}") from errors[0]
    return found


_TOGETHER = 16  # results in memory at once


class _Due(NamedTuple):
    """A run that is to be evaluated, and what its `evaluation.json` says beside the metrics."""

    folder: Path
    run: Finished
    facts: dict[str, Any]


@contextmanager
def _noted(errors: list[InputError]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        errors.append(error)


def _evaluation(run: Finished, folder: Path) -> Evaluation:
    if run.modality.name not in EVALUATIONS:
        raise InputError(f"{folder}: runs of modality {run.modality.name} have no metrics: leave it out")
    return EVALUATIONS[run.modality.name]


def _of_alike(alike: Sequence[_Due], errors: list[InputError]) -> dict[str, dict[str, Any]]:
    """Evaluate runs of the same content and style together, or one by one if one of them can't be."""
    folders = [str(due.folder) for due in alike]
    try:
        figures = _figures(alike)
    except InputError as error:
        if len(alike) == 1:
            raise InputError(f"{folders[0]}: {str(error).removeprefix(f'{folders[0]}: ')}") from error
        found = {}
        for due in alike:
            with _noted(errors):
                found |= _of_alike([due], errors)
        return found
    baselines = {name: figures[name] for name in BASELINES}
    found = {}
    for due in alike:
        found[str(due.folder)] = {"metrics": figures[str(due.folder)], "baselines": baselines} | due.facts
        record.write_json(due.folder / record.EVALUATION, found[str(due.folder)])
    return found


def _figures(alike: Sequence[_Due]) -> Figures:
    run = alike[0].run
    evaluation = EVALUATIONS[run.modality.name]
    arrays = {str(due.folder): evaluation.read(due.folder, due.run, due.facts["inputs"]) for due in alike}
    _, content, style = next(iter(arrays.values()))
    results = {folder: result for folder, (result, _, _) in arrays.items()}
    return evaluation.compare(content, style, results, run)


def _is_of(earlier: Values, facts: Values, wanted: Sequence[str]) -> bool:
    return all(earlier.get(key) == value for key, value in facts.items()) and [*earlier["metrics"]] == [
        *wanted
    ]


def _earlier(path: Path) -> dict[str, Any]:
    """What was written before; nothing if that can't be read, for it is written anew."""
    try:
        found = json.loads(path.read_text())
        return found if isinstance(found, dict) and isinstance(found.get("metrics"), dict) else {}
    except (OSError, ValueError):
        return {}
