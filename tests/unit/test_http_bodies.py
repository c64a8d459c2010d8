"""Uploads through the edge: multipart and raw, broken ones included (security.md S31-S36)."""

from __future__ import annotations

import gzip
from hashlib import sha256
from types import SimpleNamespace

import pytest

from waybill.dialect import Body, BodyKind, Core, Request, Response, Route
from waybill.dialects import native
from waybill.errors import StorageFull
from waybill.model.limits import Limits
from waybill.model.principal import Scope
from waybill.testing.edge import Answer, EdgeBench, make_bench

CSV = b"icao,name\nLOWW,Vienna\n"
FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture
def bench() -> EdgeBench:
    return make_bench({"waybill": native})


def part(name: str, content: bytes, *, file_name: str | None = None, extra: str = "") -> bytes:
    disposition = f'form-data; name="{name}"'
    if file_name is not None:
        disposition += f'; filename="{file_name}"'
    head = f"--b\r\nContent-Disposition: {disposition}{extra}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(parts) + end


GOOD = form(part("entity", b"airports"), part("file", CSV, file_name="a.csv"))


def post(bench: EdgeBench, body: bytes, **headers: str) -> Answer:
    return bench.call("POST", "/v1/jobs", headers={**FORM, **headers}, body=body)


def assert_nothing_left(bench: EdgeBench) -> None:
    assert bench.blobs.stored == {}
    assert bench.blobs.unfinished == 0
    assert bench.core.submissions == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_form_is_read_the_same_however_it_is_cut_into_pieces(bench: EdgeBench, size: int) -> None:
    pieces = [GOOD[at : at + size] for at in range(0, len(GOOD), size)]
    answer = bench.call("POST", "/v1/jobs", headers=FORM, body=pieces)
    assert answer.status == 202
    (submission,) = bench.core.submissions
    assert (submission.file.name, submission.file.size_bytes) == ("a.csv", len(CSV))
    assert submission.file.sha256 == sha256(CSV).hexdigest()
    assert list(bench.blobs.stored.values()) == [CSV]


def test_the_file_part_may_come_first(bench: EdgeBench) -> None:
    body = form(part("file", CSV, file_name="a.csv"), part("entity", b"airports"))
    assert post(bench, body).status == 202


def test_an_empty_file_name_is_still_a_file(bench: EdgeBench) -> None:
    body = form(part("entity", b"airports"), part("file", CSV, file_name=""))
    assert post(bench, body).status == 202


def test_a_large_file_is_stored_whole(bench: EdgeBench) -> None:
    content = bytes(range(256)) * 20_000
    body = form(part("entity", b"airports"), part("file", content, file_name="a.csv"))
    pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    assert bench.call("POST", "/v1/jobs", headers=FORM, body=pieces).status == 202
    assert list(bench.blobs.stored.values()) == [content]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (GOOD[:-8], "TRUNCATED_MULTIPART"),
        (GOOD[:-40], "TRUNCATED_MULTIPART"),
        (b"", "TRUNCATED_MULTIPART"),
        (b"x" * 100_000 + GOOD, "MULTIPART_INVALID"),
        (form(part("entity", b"a"), part("entity", b"b")), "DUPLICATE_PART"),
        (
            form(part("file", b"a", file_name="a"), part("file", b"b", file_name="b")),
            "DUPLICATE_PART",
        ),
        (
            form(part("file", b"a", file_name="a", extra="; filename*=UTF-8''b")),
            "DUPLICATE_PART",
        ),
        (form(part("file", b"a", extra="; filename*=UTF-8''b")), "MULTIPART_INVALID"),
        (form(part("a", b"a", extra="\r\nX-A: 1" * 40)), "MULTIPART_INVALID"),
        (form(part("a", b"a", extra="\r\nX-A: " + "y" * 9_000)), "MULTIPART_INVALID"),
        (form(*(part(f"p{number}", b"") for number in range(40))), "MULTIPART_INVALID"),
        (form(part("entity", b"\xff")), "MULTIPART_INVALID"),
        (b"--b\r\nX-A: 1\r\n\r\nx\r\n--b--", "MULTIPART_INVALID"),
    ],
)
def test_a_broken_form_is_refused_and_leaves_nothing(
    bench: EdgeBench, body: bytes, code: str
) -> None:
    answer = post(bench, body, **{"content-length": str(len(body))})
    assert (answer.status, answer.json()["code"]) == (400, code)
    assert_nothing_left(bench)


def test_five_megabytes_after_the_last_boundary_are_refused(bench: EdgeBench) -> None:
    pieces = [GOOD, *[b"x" * 65_536] * 80]
    answer = bench.call("POST", "/v1/jobs", headers=FORM, body=pieces)
    assert (answer.status, answer.json()["code"]) == (400, "MULTIPART_INVALID")
    assert_nothing_left(bench)


def test_a_line_break_after_the_last_boundary_may_come_late(bench: EdgeBench) -> None:
    answer = bench.call("POST", "/v1/jobs", headers=FORM, body=[GOOD[:-2], b"\r\n"])
    assert answer.status == 202


def test_a_missing_boundary_is_refused_with_a_hint(bench: EdgeBench) -> None:
    answer = bench.call(
        "POST", "/v1/jobs", headers={"content-type": "multipart/form-data"}, body=GOOD
    )
    assert (answer.status, answer.json()["code"]) == (400, "MULTIPART_INVALID")
    assert "boundary" in answer.json()["detail"]


def test_a_text_part_over_its_limit_is_refused(bench: EdgeBench) -> None:
    answer = post(bench, form(part("entity", b"x" * 70_000)))
    assert (answer.status, answer.json()["code"]) == (413, "PART_TOO_LARGE")


def test_a_raw_body_takes_its_options_from_the_query(bench: EdgeBench) -> None:
    answer = bench.call(
        "POST",
        "/v1/jobs?entity=airports&dry_run=true",
        headers={
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": 'attachment; filename="a.csv"',
        },
        body=CSV,
    )
    assert answer.status == 202
    (submission,) = bench.core.submissions
    assert submission.options.dry_run
    assert (submission.file.name, submission.file.media_type) == ("a.csv", "text/csv")


def test_a_gzip_body_is_stored_as_it_comes(bench: EdgeBench) -> None:
    packed = gzip.compress(CSV)
    answer = bench.call(
        "POST",
        "/v1/jobs?entity=airports",
        headers={"content-type": "text/csv", "content-encoding": "gzip"},
        body=packed,
    )
    assert answer.status == 202
    assert list(bench.blobs.stored.values()) == [packed]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": "text/csv", "content-encoding": "br"}, 415, "UNSUPPORTED_ENCODING"),
        (
            {"content-type": "text/csv", "content-encoding": "gzip, gzip"},
            415,
            "UNSUPPORTED_ENCODING",
        ),
        (
            {"content-type": "text/csv", "content-encoding": "gzip"},
            400,
            "CONTENT_ENCODING_INVALID",
        ),
        ({**FORM, "content-encoding": "gzip"}, 415, "UNSUPPORTED_ENCODING"),
    ],
)
def test_bodies_of_the_wrong_kind_are_refused(
    bench: EdgeBench, headers: dict[str, str], status: int, code: str
) -> None:
    answer = bench.call("POST", "/v1/jobs?entity=airports", headers=headers, body=CSV)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert_nothing_left(bench)


def test_a_declared_length_over_the_limit_is_refused_before_reading() -> None:
    bench = make_bench({"waybill": native}, limits=Limits(request_body_bytes=100))
    answer = bench.call(
        "POST",
        "/v1/jobs?entity=airports",
        headers={"content-type": "text/csv", "content-length": "200"},
    )
    assert answer.status == 413
    problem = answer.json()
    assert (problem["code"], problem["limit"], problem["allowed"]) == (
        "REQUEST_TOO_LARGE",
        "request_body_bytes",
        100,
    )
    assert_nothing_left(bench)


def test_a_body_without_length_is_counted_while_it_comes() -> None:
    bench = make_bench({"waybill": native}, limits=Limits(request_body_bytes=100))
    answer = bench.call(
        "POST",
        "/v1/jobs?entity=airports",
        headers={"content-type": "text/csv"},
        body=[b"x" * 60, b"x" * 60, b"x" * 60],
    )
    assert (answer.status, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE")
    assert_nothing_left(bench)


@pytest.mark.parametrize("headers", [FORM, {"content-type": "text/csv"}])
def test_a_client_that_goes_away_leaves_nothing(bench: EdgeBench, headers: dict[str, str]) -> None:
    target = "/v1/jobs" if headers is FORM else "/v1/jobs?entity=airports"
    answer = bench.call("POST", target, headers=headers, body=[GOOD[:-20]], is_cut=True)
    assert answer.status == 0
    assert_nothing_left(bench)


def test_a_refused_submission_takes_its_file_along(bench: EdgeBench) -> None:
    body = form(part("entity", b"airprots"), part("file", CSV, file_name="a.csv"))
    assert post(bench, body).status == 404
    assert_nothing_left(bench)


def test_a_full_disk_is_told_apart(bench: EdgeBench) -> None:
    bench.core.failure = StorageFull("no space left at /var/secret")
    answer = post(bench, GOOD)
    assert (answer.status, answer.json()["code"]) == (507, "STORAGE_FULL")
    assert b"secret" not in answer.body
    assert answer.headers["retry-after"] == "60"


def test_a_body_where_none_is_taken_is_refused(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs", body=b"x")
    assert (answer.status, answer.json()["code"]) == (400, "BODY_NOT_EXPECTED")


def test_a_file_name_never_reaches_the_disk(bench: EdgeBench) -> None:
    body = form(
        part("entity", b"airports"), part("file", CSV, file_name="../../etc/passwd\x00.csv")
    )
    assert post(bench, body).status == 202
    (name,) = bench.blobs.stored
    assert name == "uploads/upload-2"
    assert bench.core.submissions[0].file.name == "../../etc/passwd.csv"


def test_a_route_may_name_parts_that_are_files_whatever_they_say() -> None:
    stored: list[Body] = []

    def take(core: Core, request: Request) -> Response:
        del core
        stored.append(request.body)
        return Response(status=200)

    route = Route(
        method="POST",
        path="/t",
        handler=take,
        scope=Scope.SUBMIT,
        body=BodyKind.UPLOAD,
        request_media={"multipart/form-data": {}},
        file_parts=frozenset({"file"}),
    )
    bench = make_bench({"waybill": SimpleNamespace(**{**vars(native), "ROUTES": (route,)})})
    body = form(part("kind", b"stores"), part("file", b"\x1f\x8b\xff" * 100_000))
    assert bench.call("POST", "/t", headers=FORM, body=body).status == 200
    [taken] = stored
    assert taken.fields == {"kind": "stores"}
    assert [(each.part, each.file.name) for each in taken.files] == [("file", "")]


def form_bench(stored: list[Body]) -> EdgeBench:
    def take(core: Core, request: Request) -> Response:
        del core
        stored.append(request.body)
        return Response(status=200)

    media = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")
    route = Route(
        method="POST",
        path="/t",
        handler=take,
        scope=None,
        body=BodyKind.FORM,
        request_media={each: {} for each in media},
    )
    return make_bench({"waybill": SimpleNamespace(**{**vars(native), "ROUTES": (route,)})})


def send_form(bench: EdgeBench, content_type: str, body: bytes, **headers: str) -> Answer:
    sent = {"content-type": content_type, **headers}
    return bench.call("POST", "/t", token=None, headers=sent, body=body)


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM["content-type"], form(part("a", b"x y"), part("b", "ü".encode()), part("c", b""))),
        (URLENCODED, b"a=x+y&b=%C3%BC&c="),
        (f"{URLENCODED}; charset=UTF-8", b"a=x%20y&b=%c3%bc&c"),
    ],
)
def test_a_form_has_the_same_fields_in_both_codings(content_type: str, body: bytes) -> None:
    stored: list[Body] = []
    assert send_form(form_bench(stored), content_type, body).status == 200
    assert stored[0].fields == {"a": "x y", "b": "ü", "c": ""}


def test_what_is_no_form_is_handed_on_as_it_came() -> None:
    stored: list[Body] = []
    assert send_form(form_bench(stored), "application/json", b'{"a": 1}').status == 200
    assert (stored[0].raw, stored[0].fields) == (b'{"a": 1}', {})


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        (URLENCODED, b"a=1&a=2", 400, "DUPLICATE_PART"),
        (URLENCODED, b"a=%ff", 400, "FORM_INVALID"),
        (URLENCODED, b"a=\xff", 400, "FORM_INVALID"),
        (URLENCODED, b"&".join(b"f%d=1" % n for n in range(33)), 400, "FORM_INVALID"),
        (URLENCODED, b"a=" + b"1" * 65_536, 413, "REQUEST_TOO_LARGE"),
        (FORM["content-type"], form(part("a", b"1"), part("a", b"2")), 400, "DUPLICATE_PART"),
        (FORM["content-type"], form(part("a", b"1", file_name="a")), 400, "MULTIPART_INVALID"),
        (FORM["content-type"], form(part("a", b"1"), end=b""), 400, "TRUNCATED_MULTIPART"),
        ("multipart/form-data", b"a", 400, "MULTIPART_INVALID"),
        ("text/plain", b"a=1", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("", b"a=1", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_a_form_that_is_none_is_refused(
    content_type: str, body: bytes, status: int, code: str
) -> None:
    stored: list[Body] = []
    answer = send_form(form_bench(stored), content_type, body)
    assert (answer.status, answer.json()["code"], stored) == (status, code, [])


def test_a_packed_form_is_refused() -> None:
    answer = send_form(form_bench([]), URLENCODED, b"a=1", **{"content-encoding": "gzip"})
    assert (answer.status, answer.json()["code"]) == (415, "UNSUPPORTED_ENCODING")
