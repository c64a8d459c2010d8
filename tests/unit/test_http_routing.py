"""Which route a path belongs to."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from waybill.dialect import Response, Route
from waybill.http.routing import Found, NotFoundHere, RouteTable, split_path


def _dialect(name: str, *patterns: str, spaces: tuple[str, ...] = ()) -> SimpleNamespace:
    routes = []
    for pattern in patterns:
        method, path = pattern.split(" ")
        routes.append(
            Route(method=method, path=path, handler=lambda _c, _r: Response(status=200), scope=None)
        )
    return SimpleNamespace(NAME=name, ROUTES=routes, SPACES=spaces)


def _table(*dialects: SimpleNamespace) -> RouteTable:
    return RouteTable(dialects, dialects[0])


def _path_of(found: Found | NotFoundHere) -> str:
    assert isinstance(found, Found)
    return found.target.route.path


def test_a_literal_wins_over_a_parameter() -> None:
    table = _table(_dialect("a", "GET /v1/{id}", "GET /v1/limits"))
    assert _path_of(table.find("GET", b"/v1/limits")) == "/v1/limits"
    assert _path_of(table.find("GET", b"/v1/other")) == "/v1/{id}"


def test_the_literal_further_right_wins_so_that_a_project_may_be_called_import() -> None:
    trax = _dialect("trax", "POST /api/{v}/{project}/async-job")
    voyado = _dialect("voyado", "POST /api/v2/import/{type}")
    table = _table(voyado, trax)
    found = table.find("POST", b"/api/v2/import/async-job")
    assert isinstance(found, Found)
    assert found.target.dialect.NAME == "trax"
    assert found.path_params == {"v": "v2", "project": "import"}
    assert _path_of(table.find("POST", b"/api/v2/import/contacts")).startswith("/api/v2/import")


def test_parameters_are_decoded_once() -> None:
    table = _table(_dialect("a", "GET /v1/{id}"))
    found = table.find("GET", b"/v1/a%20b%252e")
    assert isinstance(found, Found)
    assert found.path_params == {"id": "a b%2e"}


@pytest.mark.parametrize(
    "path", [b"/v1/a%2Fb", b"/v1/a%00", b"/v1/%ff", b"/v1//", b"/V1/x", b"*", b"/v1/../v1/x"]
)
def test_a_path_that_hides_something_matches_no_route(path: bytes) -> None:
    found = _table(_dialect("a", "GET /v1/{id}")).find("GET", path)
    assert isinstance(found, NotFoundHere)
    assert not found.allowed


def test_a_dot_segment_is_a_name_like_any_other() -> None:
    assert split_path(b"/v1/%2e%2e/x") == ("v1", "..", "x")


def test_head_is_answered_by_get_and_listed_among_the_allowed() -> None:
    table = _table(_dialect("a", "GET /v1/{id}", "DELETE /v1/{id}"))
    assert isinstance(table.find("HEAD", b"/v1/x"), Found)
    refused = table.find("PUT", b"/v1/x")
    assert isinstance(refused, NotFoundHere)
    assert refused.allowed == ("DELETE", "GET", "HEAD")


def test_a_path_without_a_route_belongs_to_the_dialect_of_its_space() -> None:
    table = _table(
        _dialect("native", "GET /v1/jobs"),
        _dialect("trax", spaces=("/api/{v}/{project}/async-job",)),
    )
    inside = table.find("GET", b"/api/v4/shop/async-job/nothing/here")
    outside = table.find("GET", b"/elsewhere")
    assert isinstance(inside, NotFoundHere)
    assert isinstance(outside, NotFoundHere)
    assert (inside.dialect.NAME, outside.dialect.NAME) == ("trax", "native")


def test_two_routes_for_one_method_and_path_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes"):
        _table(_dialect("a", "GET /x"), _dialect("b", "GET /x"))


def test_a_path_with_a_segment_of_another_form_has_no_route() -> None:
    dialect = _dialect("a", "GET /api/{v}/x")
    dialect.ROUTES = [
        replace(route, patterns={"v": re.compile("v[0-9]+")}) for route in dialect.ROUTES
    ]
    table = _table(dialect)
    assert isinstance(table.find("GET", b"/api/v4/x"), Found)
    refused = [table.find(method, b"/api/w4/x") for method in ("GET", "POST")]
    assert [each.allowed for each in refused if isinstance(each, NotFoundHere)] == [(), ()]
    wrong = table.find("POST", b"/api/v4/x")
    assert isinstance(wrong, NotFoundHere)
    assert wrong.allowed == ("GET", "HEAD")
