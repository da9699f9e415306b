"""Write a report of a sweep or a run: one HTML file that opens offline, and figures and a table for a paper.

python scripts/report.py DIR
    --output FILE   the HTML file: DIR/report.html by default
    --figures       DIR/figures: loss curves, trade-off and results, as PDF and SVG
    --table         DIR/table.csv and DIR/table.tex: means and standard deviations over images and seeds
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
    options = parser.parse_args(arguments)
    paths = report.write(options.folder, output=options.output, figures=options.figures, table=options.table)
    for path in paths:
        print(path)


if __name__ == "__main__":
    cli.main(main, usage=__doc__ or "")
