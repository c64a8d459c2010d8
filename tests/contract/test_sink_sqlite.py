from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from waybill.sinks.sqlite import SqliteSink, open_sink
from waybill.testing.repeating_sink_contract import RepeatingSinkContract

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.testing.sink_contract import OpenSink


class TestSqliteSink(RepeatingSinkContract):
    @pytest.fixture
    def open_sink(self, tmp_path: Path) -> OpenSink:
        return lambda: SqliteSink(tmp_path)


def test_the_factory_of_the_entry_point_opens_a_sink(tmp_path: Path) -> None:
    assert isinstance(open_sink({}, tmp_path), SqliteSink)
