"""How commands reach a server's administration: straight in its directory, no server needed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from waybill.ports.administration import Administration


def administer(directory: Path) -> AbstractContextManager[Administration]:
    """The administration of a server's directory, closed with the block."""
    from waybill.bootstrap import open_admin

    admin: Administration = open_admin(directory)
    return closing(admin)
