"""The embedded sink: one SQLite database per project, written through apsw only."""

from __future__ import annotations

from waybill.sinks.sqlite.sink import SqliteSink, open_sink

__all__ = ["SqliteSink", "open_sink"]
