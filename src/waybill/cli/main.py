"""The ``waybill`` command: one file per command, and the boundary where errors become exits."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from waybill import __version__
from waybill.cli import credential, project
from waybill.cli.apply import apply
from waybill.cli.backup import backup
from waybill.cli.cancel import cancel
from waybill.cli.check import check
from waybill.cli.exits import ExitCode
from waybill.cli.init import init
from waybill.cli.jobs import jobs
from waybill.cli.output import printable
from waybill.cli.plan import plan
from waybill.cli.rejections import rejections
from waybill.cli.serve import serve
from waybill.cli.status import status
from waybill.cli.submit import submit
from waybill.cli.template import template
from waybill.cli.watch import watch
from waybill.cli.web import web
from waybill.cli.worker import worker
from waybill.errors import WaybillError

app = typer.Typer(
    name="waybill",
    help="Bulk imports as jobs: hand over a file, follow the job, fetch the rejected rows.",
    epilog="Example: waybill check people.csv --schema people.json",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command(epilog="Example: waybill init ./data")(init)
app.command(epilog="Example: waybill serve ./data --port 8080")(serve)
app.command(epilog="Example: waybill web ./data --port 8081")(web)
app.command(epilog="Example: waybill worker ./data")(worker)
app.command(epilog="Example: waybill backup ./data ./copy")(backup)
app.command(epilog="Example: waybill template airports --output airports.xlsx")(template)
app.command(epilog="Example: waybill submit airports.csv --entity airports --watch")(submit)
app.command(epilog="Example: waybill status 01jd3a")(status)
app.command(epilog="Example: waybill watch 01jd3a")(watch)
app.command(epilog="Example: waybill plan 01jd3a")(plan)
app.command(epilog="Example: waybill apply 01jd3a --watch")(apply)
app.command(epilog="Example: waybill rejections 01jd3a --output rejected.csv")(rejections)
app.command(epilog="Example: waybill jobs --state running")(jobs)
app.command(epilog="Example: waybill cancel 01jd3a")(cancel)
app.command(epilog="Example: waybill check people.csv --schema people.json")(check)
app.add_typer(project.app, name="project")
app.add_typer(credential.app, name="credential")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the form of an option's callback
    if wanted:
        typer.echo(f"waybill {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line and end the process with one of ``ExitCode``."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command; gives its exit code. Failures are one line on standard error."""
    try:
        app(arguments, prog_name="waybill")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except WaybillError as error:
        return _fail(error.message)
    except OSError as error:
        return _fail(str(error))
    except Exception:  # noqa: BLE001 - the boundary: a bug becomes a report and an exit code
        return _report_bug()
    return ExitCode.DONE


def _fail(message: str) -> ExitCode:
    typer.echo(f"waybill: {printable(message)}", err=True)
    return ExitCode.FAILED


def _report_bug() -> ExitCode:
    """Leave the traceback in a file; arguments stay out of it, for they may hold a token."""
    import traceback

    report = _write_once(f"waybill {__version__}\n{traceback.format_exc()}")
    kind = sys.exc_info()[0]
    name = kind.__name__ if kind else "error"
    typer.echo(f"waybill: this is a bug of ours ({name}); the report is in {report}", err=True)
    return ExitCode.BUG


def _write_once(text: str) -> Path:
    """A file of that text, for its owner only; a bug that comes again finds its file there."""
    import hashlib
    import os
    import tempfile

    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    report = Path(tempfile.gettempdir()) / f"waybill-bug-{digest}.txt"
    try:
        descriptor = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return report
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    return report
