"""Parquet: rows as text and kind, one batch after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from waybill.formats.contained.batches import is_large, record_too_long, send_batch, send_table
from waybill.formats.contained.parquet_columns import kind_of_type, texts_of
from waybill.formats.contained.protocol import BatchFacts, Fault, Table
from waybill.formats.contained.source import seekable
from waybill.formats.unpacking import check_ratio
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.formats.contained.protocol import Task

_BROKEN: Final = (pa.ArrowException, OSError, ValueError)


def read(task: Task, output: BinaryIO) -> None:
    """Send all rows of the file."""
    with seekable(task) as file:
        try:
            opened = parquet.ParquetFile(file, pre_buffer=False)
            batches = opened.iter_batches(batch_size=task.batch_rows, use_threads=False)
            _Rows(task, opened, output).send(batches)
        except MemoryError:
            raise
        except _BROKEN as error:
            raise file_refused("PARQUET_INVALID", reason=str(error)[:200]) from error


class _Rows:
    """Sends the rows of one file."""

    def __init__(self, task: Task, opened: parquet.ParquetFile, output: BinaryIO) -> None:
        schema = opened.schema_arrow
        self._task = task
        self._names = tuple(schema.names)
        self._kinds = [kind_of_type(field.name, field.type) for field in schema]
        self._rows = opened.metadata.num_rows
        self._output = output
        self._read = 0
        self._produced = 0

    def send(self, batches: Iterator[pa.RecordBatch]) -> None:
        """Send header and rows.

        Raises:
            FileRefused: ``DECOMPRESSION_LIMIT``, or there are not as many rows as announced.
        """
        send_table(self._output, Table(names=self._names, facts={"format": "parquet"}))
        for batch in batches:
            self._send(batch)
        if self._read != self._rows:
            reason = f"it says to have {self._rows} rows and has {self._read}"
            raise file_refused("PARQUET_INVALID", reason=reason)

    def _send(self, batch: pa.RecordBatch) -> None:
        first = self._read + 1
        faults: dict[int, Fault] = {}
        columns: list[Any] = []
        for column, values in enumerate(batch.columns, start=1):
            texts, bad = texts_of(values)
            columns.append(texts)
            for row, (code, parameters) in bad.items():
                fault = Fault(
                    record=row, line=first + row, code=code, column=column, parameters=parameters
                )
                faults.setdefault(row, fault)
        if is_large(columns):
            if batch.num_rows > 1:
                half = batch.num_rows // 2
                self._send(batch.slice(0, half))
                self._send(batch.slice(half))
                return
            faults[0] = record_too_long(0, first, self._task.limits)
        self._read += batch.num_rows
        self._produced += sum(texts.nbytes for texts in columns)
        packed = self._task.stored_bytes
        check_ratio(self._task.limits, consumed=packed, produced=self._produced)
        lines = np.arange(first, self._read + 1)
        if faults:
            good = np.delete(np.arange(batch.num_rows), list(faults))
            columns, lines = [column.take(good) for column in columns], lines[good]
        send_batch(
            self._output,
            BatchFacts(
                records=batch.num_rows,
                input_bytes=self._task.stored_bytes * self._read // max(self._read, self._rows),
                faults=tuple(faults[row] for row in sorted(faults)),
            ),
            columns,
            [_kinds(texts, kind) for texts, kind in zip(columns, self._kinds, strict=True)],
            lines.tolist(),
        )


def _kinds(texts: Any, kind: int) -> Any:  # noqa: ANN401 - arrays of what computing gives
    """The kind of each value, none for a missing one."""
    return pc.if_else(texts.is_valid(), pa.scalar(int(kind), pa.uint8()), None)
