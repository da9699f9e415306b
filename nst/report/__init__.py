"""Reports on sweeps and runs: one HTML file, a table, figures. They are made from run directories alone."""

from pathlib import Path

from nst.errors import InputError
from nst.report import page
from nst.report.collect import collect

__all__ = ["collect", "write"]


def write(
    folder: Path, *, output: Path | None = None, figures: bool = False, table: bool = False
) -> list[Path]:
    """Write a report on a sweep, a run, or a folder of runs, finished or not.

    Args:
      folder: The directory of the sweep, the run or the runs.
      output: The HTML file; `folder/report.html` by default.
      figures: Also draw figures for a paper, in `folder/figures`.
      table: Also write the table, `folder/table.csv` and `folder/table.tex`.

    Returns:
      The files written.

    Raises:
      InputError: The directory holds neither a sweep nor a run, or `output` is not an HTML file.
    """
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--output {output}: a report is one HTML file: give a name that ends in .html")
    report = collect(folder)
    written = [page.write(report, folder, output or folder / "report.html")]
    if table:
        from nst.report import table as tables

        written += tables.write(report, folder)
    if figures:
        from nst.report import figures as plots  # Matplotlib takes half a second to import

        written += plots.write(report, folder)
    return written
