"""Options of the commands that run a server or a half of it."""

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", exists=True, file_okay=False, help="Directory that 'waybill init' made."
    ),
]
Host = Annotated[
    str | None, typer.Option("--host", help="Address to listen on; default 127.0.0.1.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port; default 8080, 0: a free one.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=0, help="Processes that run jobs; default 2.")
]
WebWorkers = Annotated[
    int | None, typer.Option("--web-workers", min=1, help="Processes that answer; default 1.")
]
TlsCert = Annotated[
    Path | None,
    typer.Option("--tls-cert", exists=True, dir_okay=False, help="PEM file of the certificate."),
]
TlsKey = Annotated[
    Path | None,
    typer.Option("--tls-key", exists=True, dir_okay=False, help="PEM file of its key."),
]

LifelineFd = Annotated[int | None, typer.Option("--lifeline-fd", hidden=True)]
"""Read end of a pipe whose other end the parent holds: the process ends with it."""

ServingSince = Annotated[float | None, typer.Option("--serving-since", hidden=True)]
"""When the parent started, in seconds of Unix time."""

ListenFd = Annotated[int | None, typer.Option("--listen-fd", hidden=True)]
"""A listening socket that the parent has bound, instead of host and port."""


def check_tls(cert: Path | None, key: Path | None) -> None:
    """Refuse a certificate without its key, and the other way round."""
    if (cert is None) != (key is None):
        raise typer.BadParameter("give both or none", param_hint="--tls-cert, --tls-key")
