"""Keys as 128 bits each, so that many fit in memory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST: Final = np.dtype([("high", np.uint64), ("low", np.uint64)])


def digests_of(keys: pa.ChunkedArray[pa.StringScalar]) -> np.ndarray:
    """128 bits of BLAKE2b of each key."""
    texts = (str(key).encode() for key in keys.to_pylist())
    size = DIGEST.itemsize
    joined = b"".join(hashlib.blake2b(text, digest_size=size).digest() for text in texts)
    return np.frombuffer(joined, dtype=DIGEST)
