"""``waybill cancel``: stop a job."""

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.output import open_console, print_json


def cancel(
    job_id: JobArgument,
    *,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Cancel a job.

    A waiting job ends at once, a running one within a chunk. Applied rows stay.
    """
    with connect(server, token) as client:
        job = client.cancel(job_id)
    if as_json:
        print_json(job.raw)
        return
    from waybill.cli.views import show_job

    show_job(open_console(), job)
