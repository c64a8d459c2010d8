"""``waybill project``: the tenants of a server."""

from typing import Annotated

import typer

from waybill.cli.connection import AsJson
from waybill.cli.output import print_json
from waybill.cli.serving import Directory

app = typer.Typer(help="Add and list projects, the tenants of a server.", no_args_is_help=True)


@app.command(epilog="Example: waybill project add ./data acme")
def add(
    directory: Directory,
    name: Annotated[str, typer.Argument(help="Name of the new project.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Add a project; a running server knows it with its next request."""
    from waybill.bootstrap.administration import open_admin

    with open_admin(directory) as admin:
        admin.add_project(name)
    if as_json:
        print_json({"project": name})
    else:
        typer.echo(f"project {name!r} added")


@app.command(name="list", epilog="Example: waybill project list ./data")
def list_projects(directory: Directory, *, as_json: AsJson = False) -> None:
    """List the projects by name."""
    from waybill.bootstrap.administration import open_admin

    with open_admin(directory) as admin:
        projects = admin.list_projects()
    if as_json:
        rows = [{"name": p.name, "created_at": p.created_at} for p in projects]
        print_json({"projects": rows})
        return
    for project in projects:
        typer.echo(project.name)
