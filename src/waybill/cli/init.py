"""``waybill init``: make a directory ready to serve."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waybill.cli.connection import AsJson
from waybill.cli.output import print_json

if TYPE_CHECKING:
    from waybill.model.administration import InitResult


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of the server.")],
    *,
    preset: Annotated[
        list[str] | None,
        typer.Option("--preset", metavar="NAME", help="Schemas to write; default: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a directory ready to serve.

    Writes settings and schemas, and makes project 'demo' with one credential per dialect.
    """
    from waybill.bootstrap.administration import init_directory

    result = init_directory(directory, preset or [])
    if as_json:
        print_json(init_document(result))
    else:
        typer.echo(init_text(result))


def init_document(result: "InitResult") -> dict[str, object]:
    """The result in the shape that scripts rely on."""
    return {
        "dir": str(result.directory),
        "project": result.project,
        "credentials": {name: dict(secret) for name, secret in result.credentials.items()},
    }


def init_text(result: "InitResult") -> str:
    """The result for people: the secrets, shown this once, and what to do next."""
    lines = [f"{result.directory} is ready; project {result.project!r}.", "", "Credentials:"]
    for dialect, secrets in result.credentials.items():
        lines += [f"  {dialect:<14}{name}  {secret}" for name, secret in secrets.items()]
    return "\n".join(
        [
            *lines,
            "They are not shown again: keep them. Then:",
            f"  waybill serve {result.directory}",
        ]
    )
