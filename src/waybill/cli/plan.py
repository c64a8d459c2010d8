"""``waybill plan``: what a job would do, or would have done."""

import typer

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.output import open_console, print_json


def plan(
    job_id: JobArgument,
    *,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Show the plan of a dry run, of a snapshot, or of a job that a guard has stopped.

    A few records of each kind of change are shown, before and after.
    """
    with connect(server, token) as client:
        found = client.plan(job_id)
    if as_json:
        print_json(found.raw)
    else:
        from waybill.cli.views import show_plan

        show_plan(open_console(), found)
    raise typer.Exit(0)
