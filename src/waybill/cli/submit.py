"""``waybill submit``: hand over a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waybill.cli.connection import AsJson, Server, Token, connect
from waybill.cli.exits import ExitCode, job_exit_code
from waybill.cli.import_options import (
    AbsentMembersOption,
    AtomicityOption,
    Delimiter,
    DryRun,
    Encoding,
    Escaped,
    HeaderRow,
    InputFormat,
    MaxDeleteRatio,
    MaxDeletes,
    MaxErrorRatio,
    MaxErrors,
    MissingColumnsOption,
    NoHeader,
    OnDuplicateOption,
    OperationOption,
    RecordsPath,
    Sheet,
    Snapshot,
    UnknownColumnsOption,
    delimiter_character,
)
from waybill.cli.output import open_console, print_json

if TYPE_CHECKING:
    from waybill.client import Client, Job


def submit(  # noqa: PLR0913 - one parameter per option of the command line
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File to import.")],
    *,
    entity: Annotated[str, typer.Option("--entity", "-e", help="What the records are.")],
    operation: OperationOption = None,
    atomicity: AtomicityOption = None,
    on_duplicate: OnDuplicateOption = None,
    unknown_columns: UnknownColumnsOption = None,
    missing_columns: MissingColumnsOption = None,
    absent_members: AbsentMembersOption = None,
    max_errors: MaxErrors = None,
    max_error_ratio: MaxErrorRatio = None,
    snapshot: Snapshot = False,
    max_deletes: MaxDeletes = None,
    max_delete_ratio: MaxDeleteRatio = None,
    dry_run: DryRun = False,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    escaped: Escaped = False,
    input_format: InputFormat = None,
    records_path: RecordsPath = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    client_ref: Annotated[
        str | None, typer.Option("--client-ref", help="Your own reference for the job.")
    ] = None,
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
    """Hand over a file to import.

    Prints the id of its job; with --watch, follows it to its end (the id goes to standard error).
    """
    options = {
        "operation": operation,
        "atomicity": atomicity,
        "on_duplicate": on_duplicate,
        "unknown_columns": unknown_columns,
        "missing_columns": missing_columns,
        "absent_members": absent_members,
        "max_errors": max_errors,
        "max_error_ratio": max_error_ratio,
        "snapshot": snapshot or None,
        "max_deletes": max_deletes,
        "max_delete_ratio": max_delete_ratio,
        "dry_run": dry_run or None,
        "delimiter": delimiter_character(delimiter) or None,
        "encoding": encoding,
        "header": "absent" if no_header else None,
        "escaped": escaped or None,
        "format": input_format,
        "records_path": records_path,
        "sheet": sheet,
        "header_row": header_row,
    }
    with connect(server, token) as client:
        job = client.submit(
            file,
            entity,
            options={name: value for name, value in options.items() if value is not None},
            client_ref=client_ref,
            idempotency_key=idempotency_key,
        )
        job = followed(client, job) if watch else job
    show_accepted(job, as_json=as_json, in_full=watch)


def followed(client: "Client", job: "Job") -> "Job":
    """The job at its end, its progress shown meanwhile."""
    if job.is_final:
        return job
    from waybill.cli.progress import follow

    typer.echo(f"job {job.id}", err=True)  # whatever becomes of the watching
    return follow(client.watch(job.id))


def show_accepted(job: "Job", *, as_json: bool, in_full: bool) -> None:
    """Show a job that was accepted, ``in_full`` where it was followed to its end; then exit."""
    if as_json:
        print_json(job.raw)
    elif in_full:
        from waybill.cli.views import show_job

        show_job(open_console(), job)
    else:
        typer.echo(job.id)
    raise typer.Exit(job_exit_code(job) if in_full else ExitCode.DONE)
