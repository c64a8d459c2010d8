"""``waybill rejections``: what was rejected, and why."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.output import open_console, open_output

if TYPE_CHECKING:
    from waybill.client import RejectionPage


class ReportChoice(StrEnum):
    """How rejections are shown or saved."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


FILES = [choice.value for choice in ReportChoice if choice is not ReportChoice.TABLE]
BINARY = (ReportChoice.XLSX, ReportChoice.PARQUET)


def rejections(  # noqa: PLR0913 - one parameter per option of the command line
    job_id: JobArgument,
    *,
    file_format: Annotated[
        ReportChoice, typer.Option("--format", "-f", help="Table to read, or a file.")
    ] = ReportChoice.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Records in the table.")] = 20,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Show or save the rejected records.

    The table gives the reasons of the first ones; files hold them all. The CSV and XLSX files
    have the original columns: mend the cells and submit the file again.
    """
    wanted = _wanted(file_format, output, as_json=as_json)
    with connect(server, token) as client:
        if wanted is ReportChoice.TABLE:
            _show(client.rejections(job_id, limit=limit))
            return
        with open_output(output) as stream:
            client.rejections_file(job_id, wanted.value, stream)
    if output is not None:
        typer.echo(f"written: {output}", err=True)


def _wanted(file_format: ReportChoice, output: Path | None, *, as_json: bool) -> ReportChoice:
    """The format: as asked, else by the suffix of the file to write."""
    if as_json:
        return ReportChoice.JSON
    if file_format is ReportChoice.TABLE and output is not None:
        suffix = output.suffix.lower().lstrip(".")
        if suffix not in FILES:
            raise typer.BadParameter(f"give one of {', '.join(FILES)}", param_hint="--format")
        return ReportChoice(suffix)
    if file_format in BINARY and output is None and sys.stdout.isatty():
        reason = f"{file_format} needs a file: give --output"
        raise typer.BadParameter(reason, param_hint="--format")
    return file_format


def _show(page: "RejectionPage") -> None:
    from waybill.cli.views import findings_table

    console = open_console()
    console.print(findings_table((r.record, r.line, r.findings) for r in page.rejections))
    shown = len(page.rejections)
    console.print(f"{shown:,} of {page.total:,} rejected records shown", markup=False)
