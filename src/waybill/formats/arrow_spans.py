"""Parts of a text as an Arrow array, copied out at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def spans_of(text: bytes, edges: Any, is_valid: Any = None) -> Any:  # noqa: ANN401 - arrays of NumPy and of Arrow
    """Every other one of the texts between neighbouring edges (int32, rising).

    ``is_valid``: of all of them, also of those left out; null where not.
    """
    if not edges.size:
        return pa.array([], pa.string())
    bits: Any = None if is_valid is None else np.packbits(is_valid, bitorder="little")
    bitmap = None if bits is None else pa.py_buffer(bits)
    buffers = [bitmap, pa.py_buffer(edges), pa.py_buffer(text)]
    pieces: Any = pa.Array.from_buffers(pa.string(), edges.size - 1, buffers)
    return pieces.take(pa.array(np.arange(0, edges.size, 2)))
