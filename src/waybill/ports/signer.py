"""Signed texts that a client carries and this server, and nobody else, can have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Signer(Protocol):
    """Signs claims for a purpose and a time. What is signed can be read by whoever carries it."""

    def sign(self, purpose: str, claims: Mapping[str, str], expires_at: datetime) -> str:
        """A text that is safe in headers and URLs."""

    def read(self, purpose: str, text: str) -> Mapping[str, str] | None:
        """The claims; ``None`` where the text is forged, expired or for another purpose."""
