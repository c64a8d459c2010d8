"""``waybill backup``: a copy of a server's state while it runs."""

from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.connection import AsJson
from waybill.cli.output import print_json
from waybill.cli.serving import Directory


def backup(
    directory: Directory,
    to: Annotated[Path, typer.Argument(metavar="TO", help="New directory for the copy.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the state of a server, running or not.

    Databases, files, schemas, settings and keys go into a new directory.
    """
    from waybill.bootstrap import backup as copying

    copying.backup(directory, to, on_progress=lambda name: typer.echo(name, err=True))
    if as_json:
        print_json({"dir": str(directory), "to": str(to)})
    else:
        typer.echo(f"{directory} is copied to {to}")
