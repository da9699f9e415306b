"""Write a report of a sweep or a run: one HTML file that opens offline, and figures and a table for a paper.

nst report DIR [--output FILE] [--figures] [--table] [--debug]
"""

from pathlib import Path

from nst import report
from nst.arguments import Parser


def write(folder: Path, output: Path | None, figures: bool, table: bool) -> None:
    for path in report.write(folder, output=output, figures=figures, table=table):
        print(path)


parser = Parser(write, prog="nst report", description=__doc__)
parser.add_argument("folder", metavar="DIR", type=Path, help="directory of a sweep or a run")
parser.add_argument("--output", metavar="FILE", type=Path, help="HTML file: DIR/report.html by default")
parser.add_argument(
    "--figures", action="store_true", help="DIR/figures: loss curves, trade-off and results, as PDF and SVG"
)
parser.add_argument(
    "--table",
    action="store_true",
    help="DIR/table.csv and DIR/table.tex: means and standard deviations over images and seeds",
)
