"""Which addresses may be reached: public ones, and those that the operator allows.

Source of the cases: ``security.md`` S52 and S53.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network
    from urllib.parse import SplitResult

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

URL_CHARACTERS: Final = 2048
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\Z")
_NUMBERS: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)\Z")
"""A last label of this kind makes a host an address in a form of the last century."""
_UNICAST: Final = ip_network("2000::/3")
"""All of IPv6 that is public. Source: the registry of RFC 4291, 2.4; the rest is reserved."""
_SPECIAL: Final = tuple(map(ip_network, ("2002::/16", "3fff::/20", "192.88.99.0/24")))
"""What leads to an IPv4 address that is not looked at, or nowhere (RFC 3056, 9637, 7526)."""
_LOOPBACK: Final = ip_address("127.0.0.1")


class NotAllowed(RequestInvalid):
    """A URL that is not to be asked."""

    default_code = "URL_NOT_ALLOWED"


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules. ``allowed``: networks that are reached though not public, at any port."""

    allowed: Sequence[Network]
    ports: frozenset[int]

    @classmethod
    def of(cls, allowed: Sequence[str], ports: Sequence[int]) -> Guard:
        """From what the settings say; raises ``ValueError`` for what is no network."""
        return cls([ip_network(each, strict=False) for each in allowed], frozenset(ports))

    def check_url(self, url: str) -> None:
        """Refuse what can be known without a look-up.

        Raises:
            NotAllowed: says why.
        """
        parts = _split(url)
        host, port = parts.hostname or "", _port(parts)
        literal = _LOOPBACK if _is_localhost(host) else _literal(host)
        if literal is not None:
            self._check_address(literal, port)
        elif port not in self.ports and not self.allowed:
            raise NotAllowed(f"The url is not allowed: port {port}.")

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Where a host is to be reached; every one of its addresses has to be allowed.

        Raises:
            NotAllowed: one is not.
            OSError: the host has none.
        """
        literal = _literal(host)
        found = [literal] if literal is not None else _resolve(host, port)
        for address in found:
            self._check_address(address, port)
        return [str(address) for address in found]

    def _check_address(self, address: Address, port: int) -> None:
        plain = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        address = plain or address
        if any(address in network for network in self.allowed):
            return
        if not _is_public(address):
            raise NotAllowed("The url is not allowed: its address is not public.")
        if port not in self.ports:
            raise NotAllowed(f"The url is not allowed: port {port}.")


def _split(url: str) -> SplitResult:
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not is_plain or len(url) > URL_CHARACTERS:
        raise NotAllowed("The url is not allowed: it is no plain http or https URL.")
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError as error:
        raise NotAllowed("The url is not allowed: it is no URL.") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise NotAllowed("The url is not allowed: it is no http or https URL.")
    if "@" in parts.netloc:
        raise NotAllowed("The url is not allowed: it holds a user name.")
    return parts


def _port(parts: SplitResult) -> int:
    return _DEFAULT_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port


def _literal(host: str) -> Address | None:
    """The address that a host is, ``None`` for a name.

    Raises:
        NotAllowed: it is neither.
    """
    try:
        return ip_address(host)
    except ValueError:
        if _HOST.match(host) and not _NUMBERS.match(host.rpartition(".")[2]):
            return None
        raise NotAllowed("The url is not allowed: its host is not one.") from None


def _resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _is_public(address: Address) -> bool:
    is_special = any(address in network for network in _SPECIAL)
    is_unicast = isinstance(address, IPv4Address) or address in _UNICAST
    return is_unicast and address.is_global and not address.is_multicast and not is_special


def _is_localhost(host: str) -> bool:
    """Whether a name means this host, whatever is looked up (RFC 6761, 6.3)."""
    return f".{host}".endswith(".localhost")
