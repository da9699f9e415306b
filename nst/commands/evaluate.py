"""Measure how well results keep the content and match the style, with content and style themselves as baselines.

nst evaluate DIR ... [--again]
    DIR is the directory of a run or a sweep, or a folder of runs; each finished run gets an evaluation.json
nst evaluate --content PATH --style PATH RESULT ... [--size PIXELS] [--json FILE]
    results of any program: images and video (also folders of frames) at the content's size, or at a longest side of
    PIXELS; audio at the content's length

The metrics are explained in docs/metrics.md.
"""

from pathlib import Path

from nst import evaluation
from nst.arguments import Parser
from nst.errors import InputError


def evaluate(
    paths: list[Path],
    content: str | None,
    style: str | None,
    size: int | None,
    json: Path | None,
    again: bool,
) -> None:
    if content is None and style is None:
        if size is not None or json is not None:
            raise InputError(
                "--size and --json apply only to results given with --content and --style: add both"
            )
        evaluation.of_runs([folder for path in paths for folder in evaluation.runs(path)], again=again)
    elif content is None or style is None or again:
        raise InputError("results need both --content and --style, and no --again")
    else:
        evaluation.of_results(content, style, paths, size=size, output=json)


parser = Parser(evaluate, prog="nst evaluate", description=__doc__)
parser.add_argument("paths", nargs="+", type=Path, help="directories of runs or sweeps, or results")
parser.add_argument("--content", help="the content of the results")
parser.add_argument("--style", help="the style of the results")
parser.add_argument(
    "--size", type=int, help="longest side to resize content and style to, of images and video"
)
parser.add_argument("--json", metavar="FILE", type=Path, help="write the metrics of the results here")
parser.add_argument("--again", action="store_true", help="evaluate runs again that already are")
