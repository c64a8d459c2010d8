"""Options of an import as the command line takes them."""

from typing import Annotated

import typer

from waybill.model.options import (
    AbsentMembers,
    Atomicity,
    FileFormat,
    MissingColumns,
    OnDuplicate,
    Operation,
    UnknownColumns,
)

OperationOption = Annotated[
    Operation | None, typer.Option("--operation", help="What a record does; default upsert.")
]
AtomicityOption = Annotated[
    Atomicity | None, typer.Option("--atomicity", help="Load good rows, or all or none.")
]
OnDuplicateOption = Annotated[
    OnDuplicate | None,
    typer.Option("--on-duplicate", help="Records of one file with one key; default reject."),
]
UnknownColumnsOption = Annotated[
    UnknownColumns | None,
    typer.Option("--unknown-columns", help="Columns the entity does not declare; default warn."),
]
MissingColumnsOption = Annotated[
    MissingColumns | None,
    typer.Option("--missing-columns", help="Columns every record needs; default fail."),
]
AbsentMembersOption = Annotated[
    AbsentMembers | None,
    typer.Option("--absent-members", help="Fields that a record lacks; default clear."),
]
MaxErrors = Annotated[
    int | None, typer.Option("--max-errors", min=0, help="Fail above so many rejections.")
]
MaxErrorRatio = Annotated[
    float | None,
    typer.Option("--max-error-ratio", min=0, max=1, help="Fail above this share of them."),
]
MaxDeletes = Annotated[
    int | None, typer.Option("--max-deletes", min=0, help="Fail if more records would go.")
]
MaxDeleteRatio = Annotated[
    float | None,
    typer.Option("--max-delete-ratio", min=0, max=1, help="Fail above this share of them."),
]
Snapshot = Annotated[
    bool, typer.Option("--snapshot", help="Stored records that the file does not have go.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Plan and write nothing; see 'waybill plan'.")
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="CHAR", help="One character, or 'tab'; default: found."),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Encoding of the file; default: found."),
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The first line is a record: columns as declared.")
]
Escaped = Annotated[
    bool, typer.Option("--escaped", help="Cells carry the formula escape of our reports.")
]

InputFormat = Annotated[
    FileFormat | None,
    typer.Option("--input-format", help="What the file is; default: found from its content."),
]
RecordsPath = Annotated[
    str | None,
    typer.Option(
        "--records-path",
        metavar="PATH",
        help="Where the records are: JSON Pointer to an array, or the XML element's name or path.",
    ),
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook; default first.")
]
HeaderRow = Annotated[
    int | None,
    typer.Option("--header-row", min=1, help="Row of the sheet that names the columns."),
]


def delimiter_character(text: str | None) -> str:
    """The delimiter that was asked for; empty means found from the header."""
    if text is None:
        return ""
    if text.lower() in {"tab", "\\t"}:
        return "\t"
    if len(text) != 1:
        raise typer.BadParameter("give one character, or 'tab'", param_hint="--delimiter")
    return text
