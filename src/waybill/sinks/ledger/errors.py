"""What errors of the database or the disk mean to the core."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import apsw

from waybill.errors import StorageFull, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn errors of the database or the disk into those of the core; bugs of ours pass.

    A full disk comes as ``FullError`` or ``IOError``, by the file that it meets.
    """
    try:
        yield
    except (apsw.FullError, apsw.IOError) as error:
        raise StorageFull(f"the sink cannot be written: {error}") from error
    except (
        apsw.BusyError,
        apsw.LockedError,
        apsw.CantOpenError,
        apsw.ReadOnlyError,
        apsw.PermissionsError,
        apsw.ProtocolError,
        apsw.NotADBError,
        apsw.CorruptError,
        apsw.ConnectionClosedError,
        OSError,
    ) as error:
        raise StoreUnavailable(f"the sink does not answer: {error}") from error
