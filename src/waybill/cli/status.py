"""``waybill status``: one job, now."""

import typer

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.exits import job_exit_code
from waybill.cli.output import open_console, print_json


def status(
    job_id: JobArgument,
    *,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Show a job: state, counts, error.

    Exit code 3 if it ended with rejections, 1 if it failed or was canceled.
    """
    with connect(server, token) as client:
        job = client.status(job_id)
    if as_json:
        print_json(job.raw)
    else:
        from waybill.cli.views import show_job

        show_job(open_console(), job)
    raise typer.Exit(job_exit_code(job))
