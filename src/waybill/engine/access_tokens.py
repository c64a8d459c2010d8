"""Tokens that a client gets for login and secret, and calls with for a while (RFC 6749)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from waybill.errors import NotAuthenticated
from waybill.model.ids import CredentialId

if TYPE_CHECKING:
    from waybill.model.principal import Principal
    from waybill.ports.clock import Clock
    from waybill.ports.credential_store import CredentialStore
    from waybill.ports.signer import Signer

PURPOSE: Final = "access"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token for a principal, good for some seconds."""

    text: str
    lifetime_seconds: int
    principal: Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokens:
    """Gives tokens and reads them. A revoked credential takes its tokens with it."""

    credentials: CredentialStore
    signer: Signer
    clock: Clock
    lifetime_seconds: int

    def issue(self, dialect: str, login: str, secret: str) -> AccessToken:
        """A token for a client.

        Raises:
            NotAuthenticated: no such client, or another secret; the two are not told apart.
        """
        digest = sha256(secret.encode("utf-8", "surrogateescape")).digest()
        principal = self.credentials.find_principal(dialect, digest)
        if principal is None or not compare_digest(principal.login.encode(), login.encode()):
            raise NotAuthenticated("the client authentication failed", code="CREDENTIAL_INVALID")
        claims = {"sub": principal.credential, "dia": dialect}
        expires_at = self.clock.now() + timedelta(seconds=self.lifetime_seconds)
        return AccessToken(
            text=self.signer.sign(PURPOSE, claims, expires_at),
            lifetime_seconds=self.lifetime_seconds,
            principal=principal,
        )

    def read(self, dialect: str, text: str) -> Principal | None:
        """Whose token it is; ``None`` where it is forged, expired or of another dialect."""
        claims = self.signer.read(PURPOSE, text)
        if claims is None or claims.get("dia") != dialect:
            return None
        return self.credentials.find_by_id(dialect, CredentialId(claims["sub"]))
