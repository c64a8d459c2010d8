"""Files that tenants name by URL; only what the operator allows is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Fetcher(Protocol):
    """Fetches over HTTP from public addresses, and from those that a setting allows."""

    def check(self, url: str) -> None:
        """Refuse what can be known without asking anybody.

        Raises:
            RequestInvalid: ``URL_NOT_ALLOWED``: no HTTP, user names, a port or an address that is
                not allowed.
        """

    def fetch(
        self, url: str, target: BinaryIO, *, most_bytes: int, while_running: Callable[[int], None]
    ) -> None:
        """Write what a URL answers to ``target``; redirects are followed under the same rules.

        ``while_running`` is called now and then with the bytes so far; what it raises ends it.

        Raises:
            JobFailed: ``URL_NOT_ALLOWED``, or ``URL_FETCH_FAILED``: no answer, not 200, too slow,
                too large.
        """
