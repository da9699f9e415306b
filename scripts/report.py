"""One HTML file of what came of a sweep or a run, which opens offline; figures and a table for a paper.

python scripts/report.py DIR
    --output FILE   where the page goes: DIR/report.html by default
    --figures       DIR/figures: loss curves, trade-off and results, as PDF and SVG
    --table         DIR/table.csv and DIR/table.tex: means and standard deviations over pictures and seeds
    --debug
"""

from collections.abc import Sequence
from pathlib import Path

from nst import cli, report
from nst.arguments import Parser


def main(arguments: Sequence[str]) -> None:
    parser = Parser(prog="scripts/report.py", add_help=False)
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args(arguments)
    written = report.write(given.folder, output=given.output, figures=given.figures, table=given.table)
    for path in written:
        print(path)


if __name__ == "__main__":
    cli.main(main, usage=__doc__ or "")
