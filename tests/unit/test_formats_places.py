"""Where findings stand: cells of sheets, pointers into documents."""

from __future__ import annotations

import pytest

from waybill.formats.places import SheetPlaces, json_places
from waybill.model.finding import Rejection
from waybill.validation.codes import make_finding


def rejection(column: int | None) -> Rejection:
    finding = make_finding("REQUIRED", field="a", column=column, value="")
    return Rejection(record=12, line=17, byte=400, cells=("x",), findings=(finding,))


@pytest.mark.parametrize(
    ("column", "pointer"), [(1, "/stores/11/a~1b"), (2, "/stores/11/~0"), (None, "/stores/11")]
)
def test_a_json_pointer_leads_to_the_member(column: int | None, pointer: str) -> None:
    places = json_places("/stores", ["a/b", "~"])
    assert places.placed(rejection(column)).findings[0].pointer == pointer


@pytest.mark.parametrize(("column", "cell"), [(1, "B17"), (26, "AA17"), (None, "17:17")])
def test_a_cell_is_named_as_a_spreadsheet_names_it(column: int | None, cell: str) -> None:
    places = SheetPlaces(sheet="Stores", first_column=1)
    assert places.placed(rejection(column)).findings[0].cell == f"Stores!{cell}"


def test_the_name_of_a_sheet_is_quoted_where_a_formula_needs_it() -> None:
    places = SheetPlaces(sheet="Bob's stores", first_column=0)
    assert places.placed(rejection(3)).findings[0].cell == "'Bob''s stores'!C17"
