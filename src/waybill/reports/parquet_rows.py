"""Tables as one Parquet file: a row group per table, so that memory is that of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow.parquet as pq

from waybill.reports.scratch_file import send_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

_GROUP_ROWS: Final = 256 * 1024


def write_parquet_rows(
    schema: pa.Schema, tables: Iterable[pa.Table], directory: Path
) -> Iterator[bytes]:
    """The tables, all of that schema, as pieces of a Parquet file.

    The whole file is first written below ``directory``: its footer, which says where everything
    lies, comes last, and what cannot be written is told before the first byte is sent.

    Raises:
        StorageFull: the folder cannot be written.
    """

    def write(path: Path) -> None:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for table in tables:
                if table.num_rows:
                    writer.write_table(table, row_group_size=_GROUP_ROWS)

    return send_written(write, directory)
