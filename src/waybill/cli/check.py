"""``waybill check``: check a file against a schema, without a server."""

from contextlib import ExitStack, contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waybill.cli.connection import AsJson
from waybill.cli.exits import ExitCode
from waybill.cli.import_options import (
    Delimiter,
    Encoding,
    Escaped,
    HeaderRow,
    InputFormat,
    MissingColumnsOption,
    NoHeader,
    OnDuplicateOption,
    OperationOption,
    RecordsPath,
    Sheet,
    UnknownColumnsOption,
    delimiter_character,
)
from waybill.cli.output import open_console, open_output, printable
from waybill.model.options import (
    FileFormat,
    HeaderMode,
    ImportOptions,
    MissingColumns,
    OnDuplicate,
    Operation,
    UnknownColumns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from waybill.model.administration import CheckReport


class CheckFormat(StrEnum):
    """How findings are shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def check(  # noqa: PLR0913 - one parameter per option of the command line
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File to check.")],
    *,
    schema: Annotated[
        Path, typer.Option("--schema", "-s", exists=True, dir_okay=False, help="Table Schema.")
    ],
    file_format: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="How findings are printed.")
    ] = CheckFormat.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")
    ] = None,
    shown: Annotated[
        int | None, typer.Option("--max", min=0, help="Records shown; default 20 in a table.")
    ] = None,
    operation: OperationOption = None,
    on_duplicate: OnDuplicateOption = None,
    unknown_columns: UnknownColumnsOption = None,
    missing_columns: MissingColumnsOption = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    escaped: Escaped = False,
    input_format: InputFormat = None,
    records_path: RecordsPath = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    as_json: AsJson = False,
) -> None:
    """Check a file against a schema, no server needed.

    Exit code 0: all rows are good. 3: some are rejected. 1: the file cannot be read.
    """
    options = ImportOptions(
        operation=operation or Operation.UPSERT,
        on_duplicate=on_duplicate or OnDuplicate.REJECT,
        unknown_columns=unknown_columns or UnknownColumns.WARN,
        missing_columns=missing_columns or MissingColumns.FAIL,
        delimiter=delimiter_character(delimiter),
        encoding=encoding or "",
        header=HeaderMode.ABSENT if no_header else HeaderMode.PRESENT,
        escaped=escaped,
        format=input_format or FileFormat.AUTO,
        records_path=records_path or "",
        sheet=sheet or "",
        header_row=header_row or 0,
    )
    wanted = CheckFormat.JSON if as_json else file_format
    with _checked(file, schema, options) as report:
        if wanted is CheckFormat.TABLE and output is None:
            show_report(open_console(), report, 20 if shown is None else shown)
        else:
            save_report(report, wanted, output, shown)
    raise typer.Exit(check_exit_code(report))


@contextmanager
def _checked(file: Path, schema: Path, options: ImportOptions) -> "Iterator[CheckReport]":
    """The report, once the check is done; progress is shown where somebody watches."""
    from waybill.bootstrap.memory import look_for_garbage_less_often, share_heaps
    from waybill.bootstrap.offline import check_file
    from waybill.cli.progress import progress_display

    share_heaps()
    look_for_garbage_less_often()
    console = open_console(for_errors=True)
    with ExitStack() as display:
        show = display.enter_context(progress_display(console)) if console.is_terminal else None

        def on_progress(share: float, records: int, rejected: int) -> None:
            if show is not None:
                show(share, f"{records:,} records, {rejected:,} rejected", None, None)

        with check_file(file, schema, options, on_progress=on_progress) as report:
            display.close()
            yield report


def check_exit_code(report: "CheckReport") -> ExitCode:
    """What the end of a check says to a script."""
    if report.refused is not None:
        return ExitCode.FAILED
    return ExitCode.REJECTIONS if report.rejected else ExitCode.DONE


def show_report(console: "Console", report: "CheckReport", shown: int) -> None:
    """The first rejections as a table, the warnings, and one line of sums."""
    from waybill.cli.views import findings_table

    if report.rejected and shown:
        first = islice(report.rejections, shown)
        console.print(findings_table((r.record, r.line, r.findings) for r in first))
    for warning in report.warnings:
        console.print(printable(f"warning {warning.code}: {warning.message}"), markup=False)
    if report.refused is not None:
        line = "" if report.refused.line is None else f" at line {report.refused.line:,}"
        text = f"refused {report.refused.code}{line}: {report.refused.message}"
        console.print(printable(text), markup=False)
    rate = report.records / max(report.seconds, 1e-9)
    console.print(
        f"{report.records:,} records, {report.rejected:,} rejected, "
        f"{report.seconds:.2f} s ({rate:,.0f} records/s)",
        markup=False,
    )


def save_report(
    report: "CheckReport", wanted: CheckFormat, output: Path | None, shown: int | None
) -> None:
    """The rejections as CSV or JSON to a file or standard output; at most ``shown`` of them."""
    from waybill.reports.csv_report import write_csv
    from waybill.reports.json_report import write_json

    rejections = islice(report.rejections, shown)
    if wanted is CheckFormat.JSON:
        pieces = write_json(report.columns, rejections, summary(report))
    else:
        pieces = write_csv(report.columns, rejections)
    with open_output(output) as stream:
        for piece in pieces:
            stream.write(piece)
    if wanted is not CheckFormat.JSON and report.refused is not None:
        raise report.refused


def summary(report: "CheckReport") -> dict[str, object]:
    """The members that the JSON document has after its rejections."""
    refused = report.refused
    return {
        "records": report.records,
        "rejected": report.rejected,
        "seconds": round(report.seconds, 3),
        "warnings": [
            {"code": w.code, "message": w.message, "field": w.field, "count": w.count}
            for w in report.warnings
        ],
        "error": None
        if refused is None
        else {
            "code": refused.code,
            "message": refused.message,
            "line": refused.line,
            "byte": refused.byte,
        },
    }
