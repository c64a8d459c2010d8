"""The same records in every format, over real HTTP: the same verdicts, each with its own place."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from waybill.testing.server import ServerProcess
from workbooks import archive, table, workbook

STORES = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 10}},
        {"name": "opened", "type": "date", "format": "%d.%m.%Y"},
        {"name": "active", "type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]},
        {"name": "size", "type": "number", "constraints": {"minimum": 1}},
    ],
    "primaryKey": ["id"],
}
OPEN = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "tags", "type": "array"},
        {"name": "codes", "type": "list"},
    ],
    "primaryKey": ["id"],
    "waybill": {"open": True},
}
SHOPS = {
    "fields": [
        {"name": "no", "type": "string", "waybill": {"kinds": ["string", "number"]}},
        {"name": "open", "type": "boolean"},
        {"name": "mail", "type": "string"},
    ],
    "primaryKey": ["no"],
}
DAY = dt.date(2024, 2, 29)
NAMES = ("id", "name", "opened", "active", "size")
ROWS = [
    (1, "Ann", DAY, True, 2.5),
    (2, "a name that is too long", DAY, False, 3),
    (3, None, None, None, 4),
    (4, "Bob", None, True, 0.5),
    (5, "Cid", DAY, None, None),
    (1, "Ann again", DAY, True, 2.5),
]
"""Two of one key, three with a fault: of six, two are good."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv():
    def text(value):
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, dt.date):
            return value.strftime("%d.%m.%Y")
        return "" if value is None else str(value)

    lines = [",".join(map(text, row)) for row in (NAMES, *ROWS)]
    return "\n".join(lines).encode()


def as_xlsx():
    def fill(book, sheet):
        shape = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 1, NAMES)
        for number, row in enumerate(ROWS, start=1):
            for column, value in enumerate(row, start=1):
                if isinstance(value, dt.date):
                    sheet.write_datetime(number, column, value, shape)
                elif value is not None:
                    sheet.write(number, column, value)

    return workbook(fill)


def as_json():
    records = [json.loads(line) for line in as_ndjson().splitlines()]
    return json.dumps({"made": "today", "stores": records}, indent=1).encode()


def as_ndjson():
    def plain(value):
        return value.strftime("%d.%m.%Y") if isinstance(value, dt.date) else value

    rows = [dict(zip(NAMES, map(plain, row), strict=True)) for row in ROWS]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_xml():
    def cell(name, value):
        if value is None:
            return ""
        text = "yes" if value is True else "no" if value is False else value
        text = text.strftime("%d.%m.%Y") if isinstance(text, dt.date) else text
        return f"<{name}>{text}</{name}>"

    records = [
        f'<store id="{row[0]}">{"".join(map(cell, NAMES[1:], row[1:]))}</store>\n' for row in ROWS
    ]
    return f"<stores>\n{''.join(records)}</stores>".encode()


def as_parquet():
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    kinds = (pa.int64(), pa.string(), pa.date32(), pa.bool_(), pa.float64())
    arrays = [pa.array(each, kind) for each, kind in zip(columns, kinds, strict=True)]
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(zip(NAMES, arrays, strict=True))), buffer)
    return buffer.getvalue()


FORMATS = {
    "csv": (as_csv(), "text/csv", {2: {}, 4: {}}),
    "xlsx": (as_xlsx(), XLSX, {2: {"cell": "Stores!C3"}, 4: {"cell": "Stores!F5"}}),
    "ndjson": (as_ndjson(), "application/x-ndjson", {2: {}, 4: {}}),
    "json": (
        as_json(),
        "application/json",
        {2: {"pointer": "/stores/1/name"}, 4: {"pointer": "/stores/3/size"}},
    ),
    "xml": (
        as_xml(),
        "application/xml",
        {2: {"pointer": "(/stores/store)[2]/name"}, 4: {"pointer": "(/stores/store)[4]/size"}},
    ),
    "parquet": (as_parquet(), "application/vnd.apache.parquet", {2: {}, 4: {}}),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = ServerProcess(tmp_path_factory.mktemp("formats"))
    running.init({"stores": STORES, "open": OPEN, "shops": SHOPS})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def send(client, finish):
    def sent(content, media="application/octet-stream", **query):
        answer = client.post(
            "/v1/jobs",
            params={"entity": "stores", **query},
            content=content,
            headers={"Content-Type": media},
        )
        assert answer.status_code == 202, answer.text
        return finish(client, answer.json())

    return sent


def rejections_of(client, job):
    return client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_same_verdicts_with_its_own_places(client, send, form):
    content, media, places = FORMATS[form]
    job = send(content, media)
    assert job["format"]["format"] == form
    assert (job["counts"]["read"], job["counts"]["rejected"]) == (6, 5), job
    found = {each["record"]: each["findings"] for each in rejections_of(client, job)}
    assert {record: [f["code"] for f in findings] for record, findings in found.items()} == {
        1: ["DUPLICATE_KEY_IN_FILE"],
        2: ["MAX_LENGTH"],
        3: ["REQUIRED"],
        4: ["MINIMUM"],
        6: ["DUPLICATE_KEY_IN_FILE"],
    }
    for record, place in places.items():
        known = {name: found[record][0].get(name) for name in ("cell", "pointer")}
        assert known == {"cell": None, "pointer": None, **place}
    records = client.get("/v1/entities/stores/records").json()["records"]
    [stored] = [record for record in records if record["id"] == 5]
    assert {"name": "Cid", "opened": "2024-02-29", "active": None}.items() <= stored.items()


def test_a_late_finding_has_its_place_too(client, send):
    job = send(as_xlsx(), XLSX)
    [first, *_] = rejections_of(client, job)
    assert first["line"] == 2
    assert first["findings"][0]["cell"] == "Stores!B2"
    assert first["byte"] is None


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: archive({"a.xlsx": content})])
def test_packed_workbooks_are_taken(send, pack):
    assert send(pack(as_xlsx()))["counts"]["read"] == 6


def test_a_form_takes_sheet_and_header_row(client, finish):
    def fill(book, _):
        sheet = book.add_worksheet("Nordic")
        sheet.write_row(0, 0, ["Stores of the north"])
        sheet.write_row(1, 0, ["id", "name"])
        sheet.write_row(2, 0, [70, "Dan"])

    options = json.dumps({"sheet": "Nordic", "header_row": 2})
    parts = {"entity": (None, "stores"), "options": (None, options)}
    answer = client.post("/v1/jobs", files={**parts, "file": ("a.xlsx", workbook(fill), XLSX)})
    job = finish(client, answer.json())
    assert (job["format"]["sheet"], job["counts"]["created"]) == ("Nordic", 1)


def test_the_name_of_a_file_must_not_lie(client, finish):
    parts = {"entity": (None, "stores"), "file": ("stores.csv", as_xlsx(), "text/csv")}
    job = finish(client, client.post("/v1/jobs", files=parts).json())
    assert (job["state"], job["error"]["code"]) == ("failed", "UNSUPPORTED_FORMAT")


def test_a_report_as_workbook_is_mended_and_sent_back(client, send):
    job = send(table([["id", "name", "size"], [80, "Eve", 0.5], [81, "'=1+1", 7]]), XLSX)
    assert job["counts"]["rejected"] == 1
    report = client.get(f"/v1/jobs/{job['id']}/rejections.xlsx").content
    names, *rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(report)).get_sheet_by_index(0).to_python()
    )
    rows[0][names.index("size")] = "3"
    again = send(table([names, *rows]), XLSX)
    assert (again["counts"]["created"], again["counts"]["rejected"]) == (1, 0), again


def test_a_filled_template_is_taken(client, send):
    template = client.get("/v1/entities/stores/template.xlsx").content
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(template)).get_sheet_by_index(0)
    [names] = sheet.to_python()
    row = {"id": 90, "name": "Fay", "opened": "31.01.2024", "active": "yes", "size": 2}
    job = send(table([names, [row[name] for name in names]]), XLSX)
    assert job["counts"]["created"] == 1, job


def open_parquet():
    buffer = io.BytesIO()
    table_of = {"id": [1], "codes": [["x", "y"]], "day": [DAY], "n": [1.5], "odd": [float("nan")]}
    pq.write_table(pa.table(table_of), buffer)
    return buffer.getvalue()


OPEN_XML = b"""<r><s id="2"><tags>one</tags><codes>x</codes><codes>y</codes>
<more><y>1</y></more><z>007</z></s></r>"""


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        (open_parquet(), {"day": "2024-02-29", "n": 1.5, "odd": "nan"}),
        (OPEN_XML, {"more": {"y": "1"}, "z": "007"}),
    ],
)
def test_undeclared_columns_and_lists_are_kept_and_come_out_in_every_form(
    client, send, content, extra
):
    job = send(content, entity="open", unknown_columns="keep")
    assert (job["state"], job["counts"]["created"]) == ("succeeded", 1), job
    answer = client.get("/v1/entities/open/records")
    assert answer.status_code == 200, answer.text
    records = answer.json()["records"]
    [stored] = [record for record in records if extra.items() <= record.items()]
    assert stored["codes"] == "x,y"
    for form in ("csv", "json", "ndjson", "xlsx", "parquet"):
        answer = client.get(f"/v1/jobs/{job['id']}/accepted.{form}")
        assert answer.status_code == 200, (form, answer.text)
    rows = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    assert rows[0]["codes"] == "x,y"


def test_a_number_and_its_text_are_one_key_and_reports_tell_them_apart(client, send):
    shops = [
        {"no": 136, "open": True, "mail": None},
        {"no": "136"},
        {"no": "7", "open": "yes", "mail": "x"},
        {"no": 8},
    ]
    job = send(json.dumps(shops).encode(), "application/json", entity="shops")
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 3), job
    found = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    assert [(each["data"]["no"], each.get("kinds")) for each in found] == [
        ("136", {"no": "number", "open": "boolean"}),
        ("136", {"open": "absent", "mail": "absent"}),
        ("7", None),
    ]
    assert client.get(f"/v1/jobs/{job['id']}/rejections.json").json()["rejections"] == found
    [shop] = client.get("/v1/entities/shops/records").json()["records"]
    assert shop["no"] == "8"
