"""Signed texts as JSON Web Tokens (RFC 7519) under one key of this server. See ``Signer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from waybill.ports.clock import Clock

ALGORITHM: Final = "HS256"
TEXT_CHARACTERS: Final = 4096
"""A longer text is none of ours."""


class JwtSigner:
    """See ``Signer``. ``key``: at least 256 random bits."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = OctKey.import_key(key)
        self._clock = clock

    def sign(self, purpose: str, claims: Mapping[str, str], expires_at: datetime) -> str:
        """See ``Signer.sign``."""
        times = {"aud": purpose, "exp": int(expires_at.timestamp())}
        return jwt.encode({"alg": ALGORITHM}, {**claims, **times}, self._key)

    def read(self, purpose: str, text: str) -> Mapping[str, str] | None:
        """See ``Signer.read``."""
        if len(text) > TEXT_CHARACTERS:
            return None
        try:
            claims = jwt.decode(text, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        expires = claims.pop("exp", 0)
        if claims.pop("aud", None) != purpose or not isinstance(expires, int):
            return None
        return claims if self._clock.now().timestamp() < expires else None
