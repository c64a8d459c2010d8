"""S6 to S10, S13, S64, S65: workbooks."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from attacks.case import GOOD_CSV, Attack, Failed, Read
from workbooks import MAIN, PACKAGE, RELATIONS, SHEET, STRINGS, archive, cell, package, table

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = (("id", "name"), (1, "Ann"), (2, "Bob"))
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MANY_A = "A" * 100_000


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def record(number: int, key: int, name: str) -> str:
    return row(number, f'<c r="A{number}"><v>{key}</v></c>', cell(f"B{number}", name))


HEADER = row(1, cell("A1", "id"), cell("B1", "name"))


def corner(first: str, last: str) -> bytes:
    """Two cells, far apart."""
    number = int(last.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return package(row(1, cell(first, "id")) + row(number, cell(last, "x")))


def hidden_corner() -> bytes:
    """The far cell between two near ones, in a row that is not its own."""
    far = cell("A1", "id") + cell("XFD1048576", "x") + cell("B1", "name")
    return package(f'<row r="1">{far}</row>')


def hidden_by_tab() -> bytes:
    """The far cell is written in a way that no program does."""
    return package(
        HEADER + '<row r="2"><c\tr="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    )


def like_markup() -> bytes:
    """A text that reads like the type of a cell from each of its places."""
    text = "".join(f't="s"{number * 7919 % 99_991}' for number in range(20_000))
    return package(HEADER + row(2, cell("A2", "1"), cell("B2", text)))


def wide_rows(columns: str, rows: int) -> bytes:
    """Rows of one cell at either end."""
    lines = (row(n, cell(f"A{n}", "x"), cell(f"{columns}{n}", "y")) for n in range(1, rows + 1))
    return package("".join(lines))


def far_column(rows: int) -> bytes:
    return package("".join(row(n, cell(f"XFD{n}", "x")) for n in range(1, rows + 1)))


def sparse_rows() -> bytes:
    return package(HEADER + record(2, 1, "Ann") + record(1_048_576, 2, "Bob"))


def big_part(name: str, before: bytes, after: bytes, mebibytes: int) -> bytes:
    """A workbook in which one part holds so many mebibytes of one letter."""
    buffer = io.BytesIO(package(HEADER + record(2, 1, "Ann")))
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as packed,
        packed.open(name, "w") as part,
    ):
        part.write(before)
        for _ in range(mebibytes):
            part.write(b"a" * (1 << 20))
        part.write(after)
    return buffer.getvalue()


def big_string() -> bytes:
    return big_part(STRINGS, f'<sst xmlns="{MAIN}"><si><t>'.encode(), b"</t></si></sst>", 256)


def lying_about(content: bytes, name: str, size: int) -> bytes:
    """The directory says another unpacked size of one part."""
    changed = bytearray(content)
    at = content.rindex(name.encode()) - 46
    struct.pack_into("<I", changed, at + 24, size)
    return bytes(changed)


def big_sheet() -> bytes:
    """A sheet of 256 MiB of blanks that the directory calls 1,000 bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package(HEADER))) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            if name != SHEET:
                packed.writestr(name, content)
        with packed.open(SHEET, "w") as part:
            part.write(parts[SHEET][: -len(b"</sheetData></worksheet>")])
            for _ in range(256):
                part.write(b" " * (1 << 20))
            part.write(b"</sheetData></worksheet>")
    return buffer.getvalue()


def repeated_string() -> bytes:
    """One string of a mebibyte in 2,000 cells: 2 GB, of a file of 600 kB; no ratio is met."""
    long = random.Random(1).randbytes(1 << 19).hex()  # noqa: S311 - no secret
    words = "".join(f"<si><t>{text}</t></si>" for text in ("id", "name", long))
    text = f'<sst xmlns="{MAIN}">{words}</sst>'
    head = row(1, '<c r="A1" t="s"><v>0</v></c>', '<c r="B1" t="s"><v>1</v></c>')
    rows = (
        row(n, f'<c r="A{n}"><v>{n}</v></c>', f'<c r="B{n}" t="s"><v>2</v></c>')
        for n in range(2, 2_002)
    )
    return package(head + "".join(rows), strings=text)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))


def laughing_strings() -> bytes:
    strings = (
        f'<?xml version="1.0"?><!DOCTYPE sst [{LAUGHS}]>'
        f'<sst xmlns="{MAIN}"><si><t>&l9;</t></si></sst>'
    )
    return package(HEADER + record(2, 1, "Ann"), strings=strings)


def external() -> bytes:
    """Relations that lead to a file and to a server, and a part for links."""
    target = f'Type="{RELATIONS}/externalLinkPath" TargetMode="External"'
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" {target} Target="file:///etc/passwd"/>'
        f'<Relationship Id="r2" {target} Target="http://127.0.0.1:9/x"/></Relationships>'
    )
    book = f'<externalBook xmlns:r="{RELATIONS}" r:id="r1"/>'
    link = f'<externalLink xmlns="{MAIN}">{book}</externalLink>'
    parts = {
        "xl/externalLinks/externalLink1.xml": link.encode(),
        "xl/externalLinks/_rels/externalLink1.xml.rels": relations.encode(),
    }
    return package(HEADER + record(2, 1, "Ann") + record(3, 2, "Bob"), more=parts)


def external_entity() -> bytes:
    sheet = '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    parts = {"xl/comments1.xml": f"{sheet}<comments>&x;</comments>".encode()}
    return package(HEADER + record(2, 1, "Ann"), more=parts)


def macros() -> bytes:
    return package(HEADER + record(2, 1, "Ann"), more={"xl/vbaProject.bin": OLE2 + bytes(512)})


def macro_type() -> bytes:
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'
    )
    return package(HEADER, more={"[Content_Types].xml": types.encode()})


def rewritten(name: str, old: bytes, new: bytes) -> bytes:
    """A good workbook with other bytes in one part."""
    with zipfile.ZipFile(io.BytesIO(package(HEADER + record(2, 1, "Ann")))) as good:
        parts = {each: good.read(each) for each in good.namelist()}
    assert old in parts[name]
    return archive({**parts, name: parts[name].replace(old, new)})


def second_case() -> bytes:
    """Two sheets whose names in the archive differ in their case only: which one is looked over?"""
    far = row(1, cell("A1", "id")) + row(1_048_576, cell("XFD1048576", "x"))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{far}</sheetData></worksheet>'
    good = package(HEADER + record(2, 1, "Ann"))
    with zipfile.ZipFile(io.BytesIO(good)) as parts:
        near = parts.read(SHEET)
        others = {name: parts.read(name) for name in parts.namelist() if name != SHEET}
    return archive({**others, SHEET: sheet.encode(), "XL/worksheets/SHEET1.XML": near})


def named_sheet(name: str) -> bytes:
    return rewritten("xl/workbook.xml", b'name="Stores"', f'name="{escape(name)}"'.encode())


def long_header() -> bytes:
    return package(row(1, cell("A1", "id"), cell("B1", "name"), cell("C1", MANY_A)))


def many_columns() -> Iterator[bytes]:
    rows = [[f"c{n}" for n in range(5_000)], list(range(5_000))]
    yield table(rows)


def escapes() -> bytes:
    """ECMA-376 writes characters that XML cannot hold as ``_x0000_``."""
    texts = ("_x0041_", "_xD800_", "a_x000D_b", "_x005F_x0041_")
    lines = (record(n, n - 1, text) for n, text in enumerate(texts, start=2))
    return package(HEADER + "".join(lines))


def references_to_surrogates() -> bytes:
    return package(HEADER + record(2, 1, "&#xD800;"))


ONE = Read(loaded=1)
LYING = Failed(code="ARCHIVE_INVALID", says=("does not unpack to what the directory says",))
TWO = Read(loaded=2)
AREA = ("xlsx_cells of 20000000",)
NOT_A_CSV = Failed(code="UNSUPPORTED_FORMAT")
SHEETS = (
    Attack(
        id="S6",
        make=big_string,
        answer=Failed(code="DECOMPRESSION_LIMIT", says=("inflate_ratio of 100",)),
    ),
    Attack(
        id="S6-lying",
        make=lambda: lying_about(big_string(), STRINGS, 1_000),
        answer=LYING,
    ),
    Attack(
        id="S6-sheet-lying",
        make=lambda: lying_about(big_sheet(), SHEET, 1_000),
        answer=LYING,
    ),
    Attack(
        id="S6-repeated",
        make=repeated_string,
        answer=Failed(code="PARSER_MEMORY", says=("parser_memory_bytes of 2147483648",)),
        seconds=30,
    ),
    Attack(
        id="S6-markup",
        make=like_markup,
        answer=Read(loaded=1),
    ),
    Attack(
        id="S7",
        make=lambda: corner("A1", "A200000000"),
        answer=Failed(code="XLSX_INVALID", says=("1048576",)),
    ),
    Attack(id="S8a", make=sparse_rows, answer=TWO),
    Attack(
        id="S8b",
        make=lambda: far_column(20_000),
        answer=Failed(code="COLUMN_MISSING"),
    ),
    Attack(
        id="S64",
        make=lambda: corner("A1", "XFD1048576"),
        answer=Failed(code="XLSX_AREA_LIMIT", says=AREA),
    ),
    Attack(
        id="S64-ZZ",
        make=lambda: corner("A1", "ZZ100000"),
        answer=Failed(code="XLSX_AREA_LIMIT", says=AREA),
    ),
    Attack(
        id="S65",
        make=lambda: wide_rows("XFD", 2_000),
        answer=Failed(code="XLSX_AREA_LIMIT", says=AREA),
    ),
    Attack(
        id="S65-narrow",
        make=lambda: wide_rows("EZZ", 6_000),
        answer=Failed(code="XLSX_AREA_LIMIT", says=AREA),
    ),
    Attack(
        id="S64-hidden",
        make=hidden_corner,
        answer=Failed(code="XLSX_INVALID", says=("not of its row",)),
    ),
    Attack(
        id="S64-tab",
        make=hidden_by_tab,
        answer=Failed(code="XLSX_INVALID", says=("has a cell",)),
    ),
    Attack(
        id="S9",
        make=laughing_strings,
        answer=Failed(code="XML_DTD_FORBIDDEN", says=("sharedStrings.xml",)),
    ),
    Attack(id="S10", make=external, answer=Read(loaded=2, warned=("EXTERNAL_REFERENCE",))),
    Attack(id="S10-entity", make=external_entity, answer=Failed(code="XML_DTD_FORBIDDEN")),
    Attack(
        id="S13-zip-as-csv",
        make=lambda: table(GOOD),
        name="people.csv",
        options={"format": "csv"},
        answer=NOT_A_CSV,
    ),
    Attack(id="S13-xlsx-as-csv", make=lambda: table(GOOD), name="people.csv", answer=NOT_A_CSV),
    Attack(
        id="S13-html",
        make=lambda: b"<!DOCTYPE html>\n<html><body>id,name</body></html>",
        name="people.csv",
        answer=NOT_A_CSV,
    ),
    Attack(id="S13-xls", make=lambda: OLE2 + bytes(4_096), name="a.csv", answer=NOT_A_CSV),
    Attack(
        id="S13-locked",
        make=lambda: OLE2 + bytes(2_000) + "EncryptedPackage".encode("utf-16-le") + bytes(99),
        name="a.xlsx",
        answer=Failed(code="ENCRYPTED_FILE"),
    ),
    Attack(id="S13-macros", make=macros, answer=Failed(code="MACROS_NOT_ACCEPTED")),
    Attack(id="S13-macro-type", make=macro_type, answer=Failed(code="MACROS_NOT_ACCEPTED")),
    Attack(id="S13-gzip", make=lambda: gzip.compress(table(GOOD)), answer=TWO),
    Attack(
        id="S13-in-zip",
        make=lambda: archive({"a.xlsx": table(GOOD)}),
        answer=TWO,
    ),
    Attack(
        id="S13-not-xlsx",
        make=lambda: GOOD_CSV,
        name="a.xlsx",
        answer=Failed(code="UNSUPPORTED_FORMAT"),
    ),
    Attack(id="S12-sheet-twice", make=second_case, answer=Failed(code="ARCHIVE_INVALID")),
    Attack(
        id="S22-sheet-name",
        make=lambda: named_sheet('It\'s &#10;a <quote> & "more"'.replace('"', "”")),
        answer=ONE,
    ),
    Attack(
        id="S14-xlsx-header",
        make=long_header,
        answer=Failed(code="HEADER_NAME_TOO_LONG", line=1, says=("header_name_characters of 256",)),
    ),
    Attack(
        id="S14-xlsx-columns",
        make=many_columns,
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",)),
    ),
    Attack(
        id="S16-xlsx-escapes",
        make=escapes,
        answer=Read(loaded=4, kept={1: {"name": "A"}, 3: {"name": "a\rb"}, 4: {"name": "_x0041_"}}),
    ),
    Attack(
        id="S16-xlsx-surrogate",
        make=references_to_surrogates,
        answer=Failed(code="XLSX_INVALID"),
    ),
)
