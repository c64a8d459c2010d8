"""Projects and credentials. Passed by ``waybill.testing.CredentialStoreContract``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from waybill.model.ids import CredentialId, ProjectName
    from waybill.model.principal import Credential, Principal, Project


class CredentialStore(Protocol):
    """Who may call. Changes take effect on a running server with the next request."""

    def add_project(self, project: Project) -> bool:
        """Add a project; ``False`` where the name is taken."""

    def projects(self) -> Sequence[Project]:
        """All projects by name."""

    def find_project(self, name: str) -> ProjectName | None:
        """The project of that name, in any case: of several, the one that is written so."""

    def add_credential(self, credential: Credential, secret_sha256: bytes) -> None:
        """Add a credential.

        Raises:
            NotFound: its project does not exist.
        """

    def credentials(self, project: ProjectName | None) -> Sequence[Credential]:
        """The credentials of a project, or of all, oldest first, the revoked ones included."""

    def revoke(self, credential: CredentialId, now: datetime) -> bool:
        """Revoke; ``False`` where there is no such credential."""

    def find_principal(self, dialect: str, secret_sha256: bytes) -> Principal | None:
        """The caller behind a secret; ``None`` where unknown, revoked or of another dialect."""

    def find_by_id(self, dialect: str, credential: CredentialId) -> Principal | None:
        """The caller that a credential is of; ``None`` where ``find_principal`` gives none."""
