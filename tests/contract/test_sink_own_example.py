"""The sink of ``docs/how-to/write-your-own-sink.md`` keeps every promise of a sink."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from waybill.testing.sample_chunks import ITEMS, PROJECT
from waybill.testing.sink_contract import SinkContract

if TYPE_CHECKING:
    from types import ModuleType

    from waybill.model.entity import Entity
    from waybill.model.ids import ProjectName
    from waybill.ports.sink import Sink
    from waybill.testing.sink_contract import OpenSink, Records

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
EXAMPLE = HOW_TO / "examples" / "own_sink.py"


def load_example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("own_sink", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestTheExample(SinkContract):
    @pytest.fixture
    def open_sink(self, tmp_path: Path) -> OpenSink:
        example = load_example()
        return lambda: example.open_sink({}, tmp_path)

    def stored(self, sink: Sink, entity: Entity = ITEMS, project: ProjectName = PROJECT) -> Records:
        assert hasattr(sink, "file")
        return list(load_example().load(sink.file(project, entity.name)).values())


def test_the_page_shows_the_code_that_is_tested() -> None:
    page = (HOW_TO / "write-your-own-sink.md").read_text(encoding="utf-8")
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```\n" in page
