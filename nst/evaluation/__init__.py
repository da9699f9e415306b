"""Evaluate finished runs, or results of any program, by all metrics, with content and style as the two baselines."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

from nst import record
from nst.errors import InputError
from nst.evaluation import table
from nst.evaluation.audio import AUDIO
from nst.evaluation.image import IMAGE
from nst.evaluation.modality import FOLDER, Compared, Evaluation
from nst.evaluation.video import VIDEO
from nst.metrics import BASELINES, base_name
from nst.runs.finished import Finished, finished
from nst.types import Values

#: The evaluation of each modality, by the names of `nst.runs.MODALITIES`; the first takes results of any extension
#: that no other one has.
EVALUATIONS: dict[str, Evaluation] = {"image": IMAGE, "audio": AUDIO, "video": VIDEO}


def of_results(
    content: str, style: str, results: Sequence[Path], *, size: int | None = None, output: Path | None = None
) -> None:
    """Evaluate results that any program made, and print the metrics.

    Args:
      content: The content of all results: a sample or a path.
      style: The style of all results: a sample or a path.
      results: Files of one modality.
      size: The longest side that images of content and style are resized to, pixels.
      output: The JSON file for the metrics.

    Raises:
      InputError: An input can't be read or used, or the results are of two modalities.
      RunError: Memory ran out.
    """
    if output is not None and output.is_dir():
        raise InputError(f"--json {output} is a folder: give a file, such as {output / 'metrics.json'}")
    evaluated = _evaluation_of(results).of_results(content, style, results, size)
    if output is not None:
        record.write_json(output, evaluated)
    baselines = {"baselines": evaluated["baselines"], "layers": evaluated["layers"]}
    table.show({name: baselines | {"metrics": row} for name, row in evaluated["results"].items()})


def _evaluation_of(results: Sequence[Path]) -> Evaluation:
    """Return the evaluation for results that any program made, by their extensions.

    Raises:
      InputError: The results are of two modalities.
    """
    names = {_modality_of(path): path for path in results}
    if len(names) > 1:
        (a, first), (b, second), *_ = names.items()
        raise InputError(f"{first} is of modality {a} and {second} of modality {b}: evaluate them separately")
    return EVALUATIONS[next(iter(names))]


def _modality_of(path: Path) -> str:
    suffix = FOLDER if path.is_dir() else path.suffix.lower()
    return next(
        (name for name, each in EVALUATIONS.items() if suffix in each.extensions), next(iter(EVALUATIONS))
    )


def runs(path: Path) -> list[Path]:
    """Return a run directory itself, or the finished runs of a sweep or of a folder of runs.

    Raises:
      InputError: The directory is absent or has no finished run.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such directory: give one of nst run or nst sweep")
    if (path / "config.json").exists():
        return [path]
    within = path / "trials" if (path / "trials").is_dir() else path
    folders = sorted(done.parent for done in within.glob("*/done"))
    if not folders:
        raise InputError(f"{path} has no finished run: give a directory of nst run or nst sweep")
    return folders


def of_runs(folders: Sequence[Path], *, again: bool = False) -> dict[str, dict[str, Any]]:
    """Evaluate finished runs, write `evaluation.json` in each run directory, and print the metrics.

    Features of a content and a style are computed once for all runs that share them. If a run can't be evaluated, the
    others still are.

    Args:
      folders: The run directories.
      again: Evaluate also runs whose `evaluation.json` is up to date.

    Returns:
      By folder: `metrics` of the result and `baselines`, by the names that `nst.metrics.evaluate` returns, or by those
      of `AUDIO_METRICS` for audio; for video by those of `VIDEO_METRICS`, of images, and of their spread over frames,
      and `by_frame`, the values of all frames (`nst.metrics.video.Temporal`) of the result and the content;
      `terms` of the loss at the end; `layers` optimized and held out, none for audio; path and SHA-256 of `inputs`;
      `versions`.

    Raises:
      InputError: One or more runs can't be evaluated; raised after all others are.
      RunError: Memory ran out.
    """
    evaluations: dict[str, dict[str, Any]] = {}
    errors: list[InputError] = []
    due: dict[str, list[_Due]] = {}
    for folder in folders:
        with _collecting(errors):
            run = finished(folder)
            evaluation = _evaluation(run, folder)
            facts = evaluation.describe(folder, run)
            facts = {"terms": run.terms} | facts | {"inputs": {"result": run.result} | facts["inputs"]}
            earlier = _earlier(folder / record.EVALUATION)
            if not again and _is_current(earlier, facts, evaluation.metrics(run)):
                evaluations[str(folder)] = earlier
            else:
                key = f"{run.modality.name} {evaluation.key(run, facts['inputs'])}"
                due.setdefault(key, []).append(_Due(folder, run, facts))
    groups = [runs[i : i + _AT_ONCE] for runs in due.values() for i in range(0, len(runs), _AT_ONCE)]
    for group in track(groups, "evaluating", console=Console(stderr=True), transient=True):
        with _collecting(errors):
            evaluations |= _of_group(group, errors)
    unique = len({folder.name for folder in folders}) == len(folders)
    evaluated = [folder for folder in folders if str(folder) in evaluations]
    table.show({folder.name if unique else str(folder): evaluations[str(folder)] for folder in evaluated})
    if errors:
        more = f" ({len(errors) - 1} more could not be evaluated either)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}") from errors[0]
    return evaluations


_AT_ONCE = 16  # results in memory


class _Due(NamedTuple):
    """A run to evaluate, and the facts that its `evaluation.json` has beside the metrics."""

    folder: Path
    run: Finished
    facts: dict[str, Any]


@contextmanager
def _collecting(errors: list[InputError]) -> Iterator[None]:
    """Append an InputError in the block to `errors` instead of raising it."""
    try:
        yield
    except InputError as error:
        errors.append(error)


def _evaluation(run: Finished, folder: Path) -> Evaluation:
    if run.modality.name not in EVALUATIONS:
        raise InputError(f"{folder}: runs of modality {run.modality.name} have no metrics: leave it out")
    return EVALUATIONS[run.modality.name]


def _of_group(group: Sequence[_Due], errors: list[InputError]) -> dict[str, dict[str, Any]]:
    """Evaluate runs of the same content and style together, or one by one if one of them can't be evaluated."""
    folders = [str(due.folder) for due in group]
    try:
        figures, by_frame = _compared(group)
    except InputError as error:
        if len(group) == 1:
            raise InputError(f"{folders[0]}: {str(error).removeprefix(f'{folders[0]}: ')}") from error
        evaluations = {}
        for due in group:
            with _collecting(errors):
                evaluations |= _of_group([due], errors)
        return evaluations
    baselines = {name: figures[name] for name in BASELINES}
    evaluations = {}
    for due in group:
        evaluation: dict[str, Any] = {"metrics": figures[str(due.folder)], "baselines": baselines}
        if by_frame:
            evaluation["by_frame"] = {"result": by_frame[str(due.folder)], "content": by_frame["content"]}
        evaluations[str(due.folder)] = evaluation | due.facts
        record.write_json(due.folder / record.EVALUATION, evaluations[str(due.folder)])
    return evaluations


def _compared(group: Sequence[_Due]) -> Compared:
    run = group[0].run
    evaluation = EVALUATIONS[run.modality.name]
    arrays = {str(due.folder): evaluation.read(due.folder, due.run, due.facts["inputs"]) for due in group}
    _, reference = next(iter(arrays.values()))
    results = {folder: result for folder, (result, _) in arrays.items()}
    return evaluation.compare(reference, results, run)


def _is_current(earlier: Values, facts: Values, metrics: Sequence[str]) -> bool:
    same = all(earlier.get(key) == value for key, value in facts.items())
    return same and [*dict.fromkeys(map(base_name, earlier["metrics"]))] == [*metrics]


def _earlier(path: Path) -> dict[str, Any]:
    """Return an earlier evaluation, or an empty dict if it is absent or damaged: it is then written again."""
    try:
        earlier = json.loads(path.read_text())
        return earlier if isinstance(earlier, dict) and isinstance(earlier.get("metrics"), dict) else {}
    except (OSError, ValueError):
        return {}
