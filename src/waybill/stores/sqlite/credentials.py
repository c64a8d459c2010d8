"""Projects and credentials."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from waybill.errors import NotFound, StateConflict
from waybill.model.principal import Credential, Principal, Project, Scope
from waybill.stores.sqlite.part import Part, change, every
from waybill.stores.sqlite.read_cache import ReadCache
from waybill.stores.sqlite.values import (
    to_microseconds,
    to_microseconds_or_none,
    to_moment,
    to_moment_or_none,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import apsw

    from waybill.model.ids import CredentialId, ProjectName
    from waybill.stores.sqlite.database import Database


class Credentials(Part):
    """Who may call."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        mark = database.current_mark
        self._principals: ReadCache[tuple[bytes, str], Principal] = ReadCache(mark)
        self._by_id: ReadCache[tuple[CredentialId, str], Principal] = ReadCache(mark)

    def add_project(self, project: Project) -> bool:
        """See ``CredentialStore.add_project``."""
        parameters = {"name": project.name, "created_at": to_microseconds(project.created_at)}
        return self._database.write(lambda writer: change(writer, "add_project", parameters) == 1)

    def projects(self) -> Sequence[Project]:
        """See ``CredentialStore.projects``."""
        rows = self._database.read(lambda reader: every(reader, "list_projects"))
        return [Project(name=name, created_at=to_moment(at)) for name, at in rows]

    def find_project(self, name: str) -> ProjectName | None:
        """See ``CredentialStore.find_project``."""
        parameters = {"name": name}
        rows = self._database.read(
            lambda reader: every(reader, "find_project_in_any_case", parameters)
        )
        return next((project for (project,) in rows), None)

    def add_credential(self, credential: Credential, secret_sha256: bytes) -> None:
        """See ``CredentialStore.add_credential``.

        Raises:
            StateConflict: the id or the secret is taken.
        """
        self._database.write(lambda writer: _add(writer, credential, secret_sha256))

    def credentials(self, project: ProjectName | None) -> Sequence[Credential]:
        """See ``CredentialStore.credentials``."""
        parameters = {"project": project}
        rows = self._database.read(lambda reader: every(reader, "list_credentials", parameters))
        return [
            Credential(
                id=credential,
                project=owner,
                dialect=dialect,
                login=login,
                scopes=_to_scopes(scopes),
                created_at=to_moment(created_at),
                revoked_at=to_moment_or_none(revoked_at),
            )
            for credential, owner, dialect, login, scopes, created_at, revoked_at in rows
        ]

    def revoke(self, credential: CredentialId, now: datetime) -> bool:
        """See ``CredentialStore.revoke``."""
        parameters = {"id": credential, "now": to_microseconds(now)}
        return self._database.write(
            lambda writer: change(writer, "revoke_credential", parameters) == 1
        )

    def find_principal(self, dialect: str, secret_sha256: bytes) -> Principal | None:
        """See ``CredentialStore.find_principal``."""
        key = (secret_sha256, dialect)
        return self._principals.find(key, partial(self._read_principal, "find_principal"))

    def find_by_id(self, dialect: str, credential: CredentialId) -> Principal | None:
        """See ``CredentialStore.find_by_id``."""
        key = (credential, dialect)
        return self._by_id.find(key, partial(self._read_principal, "find_credential"))

    def _read_principal(self, query: str, key: tuple[bytes | str, str]) -> Principal | None:
        rows = self._database.read(lambda reader: every(reader, query, key))
        for project, credential, scopes, login in rows:
            return Principal(
                project=project,
                credential=credential,
                scopes=_to_scopes(scopes),
                dialect=key[1],
                login=login,
            )
        return None


def _add(writer: apsw.Connection, credential: Credential, secret_sha256: bytes) -> None:
    parameters = {
        "id": credential.id,
        "project": credential.project,
        "dialect": credential.dialect,
        "login": credential.login,
        "scopes": " ".join(sorted(credential.scopes)),
        "secret_sha256": secret_sha256,
        "created_at": to_microseconds(credential.created_at),
        "revoked_at": to_microseconds_or_none(credential.revoked_at),
    }
    if not every(writer, "find_project", (credential.project,)):
        raise NotFound(f"there is no project {credential.project!r}", code="PROJECT_NOT_FOUND")
    if not change(writer, "add_credential", parameters):
        raise StateConflict("this credential exists already", code="CREDENTIAL_EXISTS")


@lru_cache(maxsize=64)
def _to_scopes(text: str) -> frozenset[Scope]:
    return frozenset(map(Scope, text.split()))
