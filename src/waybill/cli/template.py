"""``waybill template``: an empty file to be filled in for an entity."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.connection import Server, Token, connect
from waybill.cli.output import open_output


class TemplateChoice(StrEnum):
    """How a template is written."""

    CSV = "csv"
    XLSX = "xlsx"


def template(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="Name of the entity.")],
    *,
    file_format: Annotated[
        TemplateChoice | None,
        typer.Option("--format", "-f", help="Else as the output's name says, else CSV."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")
    ] = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Save an empty file to fill in and submit.

    CSV has the header. XLSX has typed columns besides, drop-downs of the allowed values, and the
    rules of each field as a note of its header.
    """
    wanted = file_format or _format_of(output)
    if wanted is TemplateChoice.XLSX and output is None and sys.stdout.isatty():
        raise typer.BadParameter("XLSX needs a file: give --output", param_hint="--format")
    with connect(server, token) as client, open_output(output) as stream:
        client.template_file(entity, wanted.value, stream)
    if output is not None:
        typer.echo(f"written: {output}", err=True)


def _format_of(output: Path | None) -> TemplateChoice:
    if output is None:
        return TemplateChoice.CSV
    try:
        return TemplateChoice(output.suffix.lower().lstrip("."))
    except ValueError:
        raise typer.BadParameter("give csv or xlsx", param_hint="--format") from None
