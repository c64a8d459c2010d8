"""Options and connection of the commands that speak to a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from waybill.errors import RequestRefused, ServerUnreachable, WaybillError

if TYPE_CHECKING:
    from waybill.client import Client, ClientError

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Address of the server; else WAYBILL_URL, else http://127.0.0.1:8080.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="TOKEN", help="Token of the API; better in WAYBILL_TOKEN."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]


@contextmanager
def connect(server: str | None, token: str | None) -> Iterator["Client"]:
    """A client of the server that options or environment name.

    Raises:
        ServerUnreachable: nothing answers there.
        RequestRefused: the server refused, or is none of ours.
    """
    from waybill.client import Client, ClientError
    from waybill.settings import client_settings

    chosen = client_settings(server, token)
    if not chosen.url.startswith(("http://", "https://")):
        raise typer.BadParameter(
            f"{chosen.url!r} is no address such as http://127.0.0.1:8080",
            param_hint="--server or WAYBILL_URL",
        )
    try:
        with Client(chosen.url, chosen.token.reveal()) as client:
            yield client
    except ClientError as error:
        raise _translated(error) from error


def _translated(error: "ClientError") -> WaybillError:
    from waybill import client

    if isinstance(error, client.ServerUnreachable):
        return ServerUnreachable(f"{error}; is the server running? (--server, WAYBILL_URL)")
    if isinstance(error, client.NotAuthenticated):
        return RequestRefused(f"{error}; set --token or WAYBILL_TOKEN")
    return RequestRefused(str(error))
