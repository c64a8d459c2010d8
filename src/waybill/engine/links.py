"""Links to files of jobs that need no credential: unguessable, for one file, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from waybill.errors import NotFound
from waybill.model.ids import CredentialId, ProjectName
from waybill.model.principal import Principal, Scope

if TYPE_CHECKING:
    from waybill.model.job import Job
    from waybill.ports.clock import Clock, IdSource
    from waybill.ports.signer import Signer

PURPOSE: Final = "link"
NONCE_BYTES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLink:
    """What a link leads to: one file of one job, or of whatever ``subject`` names.

    ``principal`` may read in its project.
    """

    principal: Principal
    subject: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes and opens links. A dialect names its files itself and has a route that opens them."""

    signer: Signer
    clock: Clock
    ids: IdSource
    lifetime_seconds: float

    def make(self, job: Job, file: str) -> str:
        """The part of a URL that leads to that file, safe in a path; another one each time."""
        return self.make_for(job.project, job.dialect, job.id, file, self.lifetime_seconds)

    def make_for(
        self, project: ProjectName, dialect: str, subject: str, file: str, seconds: float
    ) -> str:
        """The same for anything of a project that a dialect knows by a name, and for a time."""
        claims = {"sub": subject, "prj": project, "file": file, "dia": dialect}
        claims["jti"] = self.ids.random_bytes(NONCE_BYTES).hex()
        expires_at = self.clock.now() + timedelta(seconds=seconds)
        return self.signer.sign(PURPOSE, claims, expires_at)

    def open(self, dialect: str, text: str) -> OpenedLink:
        """Where a link of that dialect leads.

        Raises:
            NotFound: it is forged or has expired; the two are not told apart.
        """
        claims = self.signer.read(PURPOSE, text)
        if claims is None or claims.get("dia") != dialect:
            raise NotFound("the link leads nowhere, or has expired", code="LINK_INVALID")
        principal = Principal(
            project=ProjectName(claims["prj"]),
            credential=CredentialId(PURPOSE),
            scopes=frozenset({Scope.READ}),
            dialect=dialect,
        )
        return OpenedLink(principal=principal, subject=claims["sub"], file=claims["file"])
