"""What commands of the operator take and give: set-up, credentials, serving, offline checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from waybill.errors import FileRefused
    from waybill.model.finding import FileWarning, Rejection
    from waybill.model.ids import CredentialId, ProjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """A directory made ready to serve.

    ``credentials``: the secrets of each dialect by name, in clear text, shown this once.
    ``entities``: names of the schemas that were written.
    """

    directory: Path
    project: ProjectName
    credentials: Mapping[str, Mapping[str, str]]
    entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A credential just made; ``secrets``: clear text, in the dialect's terms, shown this once."""

    id: CredentialId
    dialect: str
    project: ProjectName
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line asks of a server; ``None`` leaves it to the settings.

    ``workers``: processes that run jobs. ``web_workers``: processes that answer requests.
    ``tls_cert``, ``tls_key``: PEM files, both or none.
    """

    host: str | None = None
    port: int | None = None
    workers: int | None = None
    web_workers: int | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What an offline check of a file found.

    ``columns``: header names in file order. ``rejections``: in input order, to be read once.
    ``refused``: why reading stopped early, ``None`` where the whole file was read.
    """

    records: int
    rejected: int
    columns: tuple[str, ...]
    rejections: Iterator[Rejection]
    warnings: Sequence[FileWarning]
    seconds: float
    refused: FileRefused | None = None
