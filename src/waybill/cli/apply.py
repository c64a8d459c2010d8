"""``waybill apply``: do what a dry run has planned."""

from typing import Annotated

import typer

from waybill.cli.connection import AsJson, JobArgument, Server, Token, connect
from waybill.cli.submit import followed, show_accepted


def apply(
    job_id: JobArgument,
    *,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Makes repeating the command safe.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow the job to its end.")] = (
        False
    ),
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Apply the plan of a dry run, from the same file, as a new job.

    It fails with PLAN_OUTDATED, and changes nothing, where the stored records are not as they were.
    Prints the id of the new job; with --watch, follows it to its end.
    """
    with connect(server, token) as client:
        job = client.apply(job_id, idempotency_key=idempotency_key)
        job = followed(client, job) if watch else job
    show_accepted(job, as_json=as_json, in_full=watch)
