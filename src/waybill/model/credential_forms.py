"""What a credential of each dialect consists of: something hidden, sometimes a login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialForm:
    """Names of a credential's parts in the dialect's own terms.

    ``hidden``: the part that is hashed at rest. ``login``: the public part, empty where there is
    none. ``constants``: what every client of that dialect sends beside them.
    """

    hidden: str
    login: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)


CREDENTIAL_FORMS: Final[Mapping[str, CredentialForm]] = {
    "waybill": CredentialForm(hidden="token"),
    "trax": CredentialForm(hidden="token"),
    "tao": CredentialForm(hidden="client_secret", login="client_id"),
    "voyado": CredentialForm(hidden="api_key"),
    "apidatatools": CredentialForm(hidden="api_key"),
    "uniware": CredentialForm(
        hidden="password",
        login="username",
        constants={"client_id": "my-trusted-client", "facility": "demo"},
    ),
}
"""Dialect -> form. Source: the vendors' pages on authentication."""
