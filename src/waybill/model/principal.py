"""Who calls: a credential with scopes in one project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from waybill.model.ids import CredentialId, ProjectName


class Scope(StrEnum):
    """What a credential may do."""

    SUBMIT = "submit"
    READ = "read"
    CANCEL = "cancel"
    EXPORT = "export"
    ADMIN = "admin"


ALL_SCOPES: frozenset[Scope] = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller; ``login``: as in ``Credential``."""

    project: ProjectName
    credential: CredentialId
    scopes: frozenset[Scope]
    dialect: str
    login: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope; ``admin`` includes every other."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential as stored: its secret only as SHA-256 of a 256-bit random value.

    ``login``: the public half where the dialect has one (client id, user name), else empty.
    """

    id: CredentialId
    project: ProjectName
    dialect: str
    login: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A tenant."""

    name: ProjectName
    created_at: datetime
