"""``waybill watch``: follow a job to its end."""

import typer

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.exits import job_exit_code
from waybill.cli.output import open_console, print_json


def watch(
    job_id: JobArgument,
    *,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Follow a job to its end.

    Draws progress on standard error, then shows the job as 'status' does.
    """
    from waybill.cli.progress import follow

    with connect(server, token) as client:
        job = follow(client.watch(job_id))
    if as_json:
        print_json(job.raw)
    else:
        from waybill.cli.views import show_job

        show_job(open_console(), job)
    raise typer.Exit(job_exit_code(job))
