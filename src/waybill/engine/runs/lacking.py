"""Which records lack a member, as the column ``ABSENT`` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from typing import TypeAlias

    Flags: TypeAlias = pa.Array[Any]


def lacks(absent: pa.ChunkedArray[Any], name: str) -> Flags:
    """Which of these lists of names hold that name."""
    joined: Any = absent.combine_chunks()
    names: Any = pc.list_flatten(joined)
    having = pc.list_parent_indices(joined).filter(pc.equal(names, pa.scalar(name)))
    found: Flags = pc.is_in(pa.array(range(len(absent)), pa.int64()), value_set=having)
    return found
