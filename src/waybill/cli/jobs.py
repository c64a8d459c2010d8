"""``waybill jobs``: the project's jobs."""

from typing import Annotated

import typer

from waybill.cli.connection import AsJson, Server, Token, connect
from waybill.cli.output import open_console, print_json


def jobs(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    state: Annotated[
        str | None, typer.Option("--state", help="Only this state, such as running.")
    ] = None,
    entity: Annotated[str | None, typer.Option("--entity", "-e", help="Only this entity.")] = None,
    client_ref: Annotated[
        str | None, typer.Option("--client-ref", help="Only this reference of yours.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to show.")] = 20,
    cursor: Annotated[str, typer.Option("--cursor", help="Go on after an earlier page.")] = "",
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List jobs, newest first."""
    wanted = {"state": state, "entity": entity, "client_ref": client_ref}
    filters = {name: value for name, value in wanted.items() if value is not None}
    with connect(server, token) as client:
        page = client.jobs(cursor=cursor, limit=limit, **filters)
    if as_json:
        print_json(page.raw)
        return
    from waybill.cli.views import jobs_table

    console = open_console()
    console.print(jobs_table(page.jobs))
    if page.next:
        console.print(f"more: waybill jobs --cursor {page.next}", markup=False)
