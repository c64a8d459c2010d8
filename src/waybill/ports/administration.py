"""What the operator's commands ask of a server's directory, running or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.administration import NewCredential
    from waybill.model.ids import CredentialId, ProjectName
    from waybill.model.principal import Credential, Project, Scope


class Administration(Protocol):
    """Projects and credentials of one directory; a running server sees each change at once."""

    def add_project(self, name: str) -> Project:
        """Add a project.

        Raises:
            RequestInvalid: the name is not fit for one.
            StateConflict: the name is taken.
        """

    def list_projects(self) -> Sequence[Project]:
        """All projects by name."""

    def add_credential(
        self, dialect: str, project: ProjectName, scopes: frozenset[Scope]
    ) -> NewCredential:
        """Add a credential with new secrets.

        Raises:
            NotFound: no such dialect or project.
        """

    def list_credentials(self, project: ProjectName | None) -> Sequence[Credential]:
        """The credentials of a project, or of all, oldest first, the revoked ones included."""

    def revoke(self, credential: CredentialId) -> None:
        """Revoke a credential; revoking it again changes nothing.

        Raises:
            NotFound: no such credential.
        """

    def close(self) -> None:
        """Close what is open; safe to repeat."""
