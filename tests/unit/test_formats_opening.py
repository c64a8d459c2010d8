"""What a file is taken for: container, encoding, header; and what is refused."""

from __future__ import annotations

import codecs
import gzip
import time
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from reading import chunks_of, refusal, rows_of
from waybill.errors import OptionInvalid
from waybill.formats.opening import open_reader
from waybill.model.limits import Limits
from waybill.ports.reader import Reader, ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Reader]

SMALL = "id,name\n1,Ann\n2,Bob\n"


@pytest.fixture
def open_bytes(tmp_path: Path) -> Open:
    def opened(
        content: bytes, limits: Limits | None = None, chunk_bytes: int = 1 << 20, **options: object
    ) -> Reader:
        path = tmp_path / "input"
        path.write_bytes(content)
        return open_reader(
            str(path), ReadOptions(**options), limits or Limits(), chunk_bytes=chunk_bytes
        )

    return opened


ROWS = [("1", "Ann"), ("2", "Bob")]


# containers


def test_plain_and_gzip_are_told_apart_by_their_bytes(open_bytes: Open) -> None:
    assert rows_of(open_bytes(SMALL.encode())) == ROWS
    reader = open_bytes(gzip.compress(SMALL.encode()))
    assert rows_of(reader) == ROWS
    assert reader.header.facts["compression"] == "gzip"


def test_s3_members_of_a_gzip_file_are_joined(open_bytes: Open) -> None:
    packed = b"".join(gzip.compress(line.encode()) for line in SMALL.splitlines(keepends=True))
    assert rows_of(open_bytes(packed)) == ROWS


@pytest.mark.parametrize("members", [1_001, 100_000])
def test_s3_too_many_members_are_refused(open_bytes: Open, members: int) -> None:
    packed = gzip.compress(b"a,b\n") + gzip.compress(b"") * members
    error = refusal(lambda: chunks_of(open_bytes(packed)))
    assert error.code == "DECOMPRESSION_LIMIT"
    assert "compressed_members" in error.message


def test_s1_a_bomb_is_refused_while_streaming(open_bytes: Open) -> None:
    packed = gzip.compress(b"\0" * (20 << 20), 9)
    assert refusal(lambda: open_bytes(packed)).code == "DECOMPRESSION_LIMIT"


def test_a_limit_on_unpacked_bytes_holds_at_low_ratios(open_bytes: Open) -> None:
    limits = Limits(inflated_bytes=64)
    packed = gzip.compress(SMALL.encode() * 9)
    assert refusal(lambda: open_bytes(packed, limits)).code == "DECOMPRESSION_LIMIT"


def test_s2_gzip_in_gzip_is_refused(open_bytes: Open) -> None:
    packed = gzip.compress(gzip.compress(gzip.compress(SMALL.encode())))
    assert refusal(lambda: open_bytes(packed)).code == "UNSUPPORTED_FORMAT"


def test_s4_data_after_the_end_is_refused_where_it_begins(open_bytes: Open) -> None:
    packed = gzip.compress(SMALL.encode())
    error = refusal(lambda: open_bytes(packed + b"garbage"))
    assert error.code == "CORRUPT_GZIP"
    assert f"byte {len(packed)}:" in error.message


def test_zeros_after_the_end_are_padding(open_bytes: Open) -> None:
    assert rows_of(open_bytes(gzip.compress(SMALL.encode()) + b"\0" * 700)) == ROWS


def test_s4_a_cut_file_is_refused_at_its_end(open_bytes: Open) -> None:
    packed = gzip.compress(SMALL.encode() * 50)[:-9]
    error = refusal(lambda: chunks_of(open_bytes(packed)))
    assert error.code == "CORRUPT_GZIP"
    assert f"byte {len(packed)}:" in error.message


def test_s4_a_wrong_checksum_is_refused_at_the_trailer(open_bytes: Open) -> None:
    packed = bytearray(gzip.compress(SMALL.encode()))
    packed[-8] ^= 0xFF
    error = refusal(lambda: open_bytes(bytes(packed)))
    assert error.code == "CORRUPT_GZIP"
    assert f"byte {len(packed) - 5}:" in error.message  # the last byte of the checksum tells


def test_damage_in_a_later_member_comes_after_the_chunks_before_it(open_bytes: Open) -> None:
    body = b"".join(b"%d,%d\n" % (n, zlib.crc32(b"%d" % n)) for n in range(300_000))
    reader = open_bytes(gzip.compress(b"a,b\n" + body, 1) + b"\x1f\x8bwrong")
    seen = []
    error = refusal(lambda: seen.extend(reader.map_chunks(lambda chunk: chunk.ordinal)))
    assert error.code == "CORRUPT_GZIP"
    assert seen[:3] == [0, 1, 2]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE2"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf <html lang='en'>", "HTML"),
    ],
)
def test_s13_other_formats_are_refused_by_name(open_bytes: Open, head: bytes, found: str) -> None:
    error = refusal(lambda: open_bytes(head + b"\n" * 300))
    assert error.code == "UNSUPPORTED_FORMAT"
    assert found in error.message


# encodings


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_bom_tells_the_encoding_and_is_not_counted(
    open_bytes: Open, mark: bytes, encoding: str
) -> None:
    reader = open_bytes(mark + "né,b\n1,ü\n".encode(encoding))
    assert reader.header.names == ("né", "b")
    assert reader.header.facts["encoding_source"] == "bom"
    [chunk] = chunks_of(reader)
    assert chunk.positions.locate([1]) == [(2, 6)]


def test_a_declared_encoding_is_used_and_told(open_bytes: Open) -> None:
    reader = open_bytes("a,b\nJürgen,€\n".encode("cp1252"), encoding="windows-1252")
    assert rows_of(reader) == [("Jürgen", "€")]
    assert reader.header.facts["transcoded"] is True
    assert reader.header.facts["encoding"] == "windows-1252"


@pytest.mark.parametrize("name", ["klingon", "hex", "utf-7", "unicode_escape", "rot13", "a\0b", ""])
def test_what_is_no_text_encoding_is_unknown(open_bytes: Open, name: str) -> None:
    if not name:
        assert open_bytes(SMALL.encode(), encoding=name).header.facts["encoding"] == "UTF-8"
        return
    error = refusal(lambda: open_bytes(SMALL.encode(), encoding=name))
    assert error.code == "ENCODING_UNKNOWN"


def test_undeclared_text_is_decoded_when_detection_is_sure(open_bytes: Open) -> None:
    text = "name,stadt\n" + "Jürgen,München\nGünther,Köln\n" * 20
    reader = open_bytes(text.encode("cp1252"))
    assert rows_of(reader)[:2] == [("Jürgen", "München"), ("Günther", "Köln")]
    assert reader.header.facts["encoding_source"] == "detected"
    assert reader.header.facts["encoding_confidence"] >= 0.75


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("cp1251", "Иван Пётр,Москва\n"),
        ("cp1252", "François Hélène,Nîmes\n"),
        ("cp1250", "Małgorzata Święty,Łódź Żary\n"),
        ("cp1254", "Şükrü Çağlar,İstanbul Muğla\n"),
        ("cp1257", "Žydrūnas Jūratė,Šiauliai\n"),
        ("cp932", "山田太郎,東京都\n"),
    ],
)
def test_undeclared_text_of_many_languages_is_decoded(
    open_bytes: Open, encoding: str, line: str
) -> None:
    reader = open_bytes(("name,city\n" + line * 20).encode(encoding))
    assert rows_of(reader)[0] == tuple(line.rstrip().split(","))


@pytest.mark.parametrize("text", ["Libertà,perché\n", "Jürgen José Åsa Ñandú Łódź,x\n"])
def test_undeclared_text_that_could_be_several_encodings_is_refused_with_the_likeliest(
    open_bytes: Open, text: str
) -> None:
    content = ("nome,voce\n" + text * 20).encode("cp1252", "replace")
    error = refusal(lambda: open_bytes(content))
    assert error.code == "ENCODING_INVALID"
    assert "windows-1252" in error.message
    assert error.byte == next(at for at, byte in enumerate(content) if byte > 127)


@pytest.mark.parametrize("declared", ["", "utf-8"])
def test_s16d_wide_text_without_bom_is_refused(open_bytes: Open, declared: str) -> None:
    error = refusal(lambda: open_bytes(SMALL.encode("utf-16-le"), encoding=declared))
    assert error.code == "ENCODING_INVALID"


def test_s16d_declared_utf8_that_is_not_rejects_rows_and_warns_once(open_bytes: Open) -> None:
    good = "".join(f"{n},plain\n" for n in range(50))
    text = "id,name\n" + good + "50,Müller\n51,Jürgen Größe Köln\n52,ok\n"
    reader = open_bytes(text.encode("cp1252"), encoding="utf-8", chunk_bytes=64)
    assert ("52", "ok") in rows_of(reader)
    [warning] = reader.warnings
    assert (warning.code, warning.count, warning.lines) == ("ENCODING_SUSPECT", 2, (52, 53))
    assert "windows-1252" in warning.message
    assert "Müller" not in str(rows_of(reader))


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe9"])
def test_s16e_invalid_bytes_reject_their_record_at_the_byte(open_bytes: Open, bad: bytes) -> None:
    reader = open_bytes(b"a,b\n1,x\n2,y" + bad + b"\n3,z\n")
    [chunk] = chunks_of(reader)
    [record] = chunk.malformed
    assert (record.record, record.line, record.byte) == (2, 3, 8)
    [finding] = record.findings
    assert finding.code == "ENCODING_INVALID"
    assert finding.message.startswith("byte 11 ")
    assert chunk.record_numbers.tolist() == [1, 3]
    assert chunk.table.to_pydict() == {"c0": ["1", "3"], "c1": ["x", "z"]}
    assert "\ufffd" not in str(record.cells)


def test_bytes_that_a_declared_encoding_lacks_reject_their_record(open_bytes: Open) -> None:
    reader = open_bytes(b"a,b\n1,\x81\n2,\xe9\n", encoding="cp1252")
    [chunk] = chunks_of(reader)
    assert [bad.record for bad in chunk.malformed] == [1]
    assert chunk.table.to_pydict() == {"c0": ["2"], "c1": ["é"]}


def test_a_record_may_be_ragged_and_invalid_at_once(open_bytes: Open) -> None:
    [chunk] = chunks_of(open_bytes(b"a,b\n1,2\n1,\xff,3\n"))
    codes = [finding.code for finding in chunk.malformed[0].findings]
    assert codes == ["ENCODING_INVALID", "FIELD_COUNT"]


def test_a_header_that_is_not_text_is_refused(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(b"a,\xff\n" + b"1,2\n" * 20))
    assert (error.code, error.line, error.byte) == ("ENCODING_INVALID", 1, 2)


def test_s16a_nul_is_left_to_the_checks(open_bytes: Open) -> None:
    [chunk] = chunks_of(open_bytes(b"a,b\n1,x\0y\n"))
    assert chunk.traits.has_nul
    assert chunk.table.to_pydict() == {"c0": ["1"], "c1": ["x\0y"]}


def test_s16c_a_bom_in_a_later_row_is_data(open_bytes: Open) -> None:
    text = "a\n" + "".join(f"{n}\n" for n in range(5)) + "\ufeff7\n8\n"
    for chunk_bytes in (1, 3, 1000):
        rows = rows_of(open_bytes(b"\xef\xbb\xbf" + text.encode(), chunk_bytes=chunk_bytes))
        assert rows[5:] == [("\ufeff7",), ("8",)]


# header


def test_an_empty_file_has_no_columns_and_no_chunks(open_bytes: Open) -> None:
    for content in (b"", b"\n\r\n", gzip.compress(b""), codecs.BOM_UTF8):
        reader = open_bytes(content)
        assert reader.header.names == ()
        assert chunks_of(reader) == []


def test_a_header_alone_gives_no_chunks(open_bytes: Open) -> None:
    for content in (b"a,b", b"a,b\n", b"\na,b\r\n\r\n\n"):
        reader = open_bytes(content)
        assert reader.header.names == ("a", "b")
        assert chunks_of(reader) == []


@pytest.mark.parametrize(
    ("line", "delimiter", "names"),
    [
        ("a,b;c,d", ",", ("a", "b;c", "d")),
        ("a;b,c;d", ";", ("a", "b,c", "d")),
        ("a\tb", "\t", ("a", "b")),
        ("a|b|c", "|", ("a", "b", "c")),
        ("a,b;c", ",", ("a", "b;c")),
        ('"price, EUR, net";"b"', ";", ("price, EUR, net", "b")),
        ("alone", ",", ("alone",)),
        ('" a ", b', ",", (" a ", " b")),
        ('"two\nlines";x', ";", ("two\nlines", "x")),
        ("a,a,,b", ",", ("a", "a", "", "b")),
        ("a,", ",", ("a", "")),
        ('size 5",b', ",", ('size 5"', "b")),
    ],
)
def test_the_delimiter_is_found_from_the_header(
    open_bytes: Open, line: str, delimiter: str, names: tuple[str, ...]
) -> None:
    header = open_bytes(line.encode() + b"\n1\n").header
    assert header.names == names
    assert header.facts["delimiter"] == delimiter


def test_a_declared_delimiter_is_used_even_where_another_is_frequent(open_bytes: Open) -> None:
    assert open_bytes(b"a;b;c,d\n", delimiter=",").header.names == ("a;b;c", "d")


@pytest.mark.parametrize("delimiter", ["::", '"', "\n", "é"])
def test_a_delimiter_that_cannot_be_one_is_refused(open_bytes: Open, delimiter: str) -> None:
    with pytest.raises(OptionInvalid):
        open_bytes(SMALL.encode(), delimiter=delimiter)


def test_without_header_the_first_line_is_data(open_bytes: Open) -> None:
    reader = open_bytes(b"1;2,3\n4;5\n", has_header=False, column_names=("x", "y"))
    assert reader.header.names == ("x", "y")
    assert rows_of(reader) == [("1;2", "3")] or reader.header.facts["delimiter"] == ","
    [chunk] = chunks_of(reader)
    assert chunk.positions.locate([1]) == [(1, 0)]


def test_without_header_the_delimiter_that_fits_the_width_is_taken(open_bytes: Open) -> None:
    reader = open_bytes(b"1,5,5;2,5\n", has_header=False, column_names=("x", "y"))
    assert rows_of(reader) == [("1,5,5", "2,5")]


def test_a_header_with_broken_quotes_is_refused(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(b'a,"b"c\n1,2\n'))
    assert (error.code, error.line) == ("QUOTE_INVALID", 1)
    error = refusal(lambda: open_bytes(b'a,"b\n1,2\n'))
    assert (error.code, error.line, error.byte) == ("QUOTE_UNCLOSED", 1, 2)


def test_s14_too_many_columns_are_refused_at_once(open_bytes: Open) -> None:
    for count in (100_000, 1_000_000):
        names = ",".join(f"c{n}" for n in range(count)).encode()
        begun = time.perf_counter()
        error = refusal(lambda content=names: open_bytes(content + b"\n1\n"))
        assert error.code == "TOO_MANY_COLUMNS"
        assert time.perf_counter() - begun < 1
    names = ",".join(f"c{n}" for n in range(4_096)).encode()
    assert len(open_bytes(names + b"\n").header.names) == 4_096


def test_s14_a_line_that_never_ends_takes_no_memory_beside_itself(open_bytes: Open) -> None:
    for text in (b"a" * (4 << 20), b"a," * (2 << 20)):
        tracemalloc.start()
        refusal(lambda content=text: open_bytes(content))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 16 << 20


def test_s14_a_string_of_json_that_never_ends_is_held_a_few_times_at_most(
    open_bytes: Open,
) -> None:
    text = b'{"id":1,"name":"' + b"a" * (20 << 20)
    tracemalloc.start()
    refusal(lambda: open_bytes(text))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 128 << 20


def test_a_column_name_that_is_too_long_is_refused(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(b"a," + b"b" * 257 + b"\n"))
    assert error.code == "HEADER_NAME_TOO_LONG"
    assert "column 2 " in error.message
    assert "header_name_characters of 256" in error.message
    assert open_bytes(b"a," + "é".encode() * 256 + b"\n").header.names[1] == "é" * 256


def test_our_own_report_is_known_by_its_column_and_unescaped(open_bytes: Open) -> None:
    text = "id,note,'=f,_record\n1,'=1+1,'abc,7\n2,\"\",'-5,8\n3,''x\n"
    reader = open_bytes(text.encode())
    assert reader.header.escaped
    assert reader.header.names == ("id", "note", "=f", "_record")
    assert rows_of(reader) == [("1", "=1+1", "'abc", "7"), ("2", "", "'-5", "8")]
    [chunk] = chunks_of(reader)
    assert chunk.malformed[0].cells == ("3", "'x")


def test_a_foreign_file_keeps_its_apostrophes(open_bytes: Open) -> None:
    assert rows_of(open_bytes(b"a,b\n'=1,x\n")) == [("'=1", "x")]
    assert rows_of(open_bytes(b"a,b\n'=1,x\n", escaped=True)) == [("=1", "x")]


@pytest.mark.parametrize("name", ["PK", "PKZ", "PAR1", "PAR1_code", "Obj", "BZh1", "Rar"])
def test_a_column_may_be_called_like_another_format(open_bytes: Open, name: str) -> None:
    reader = open_bytes(f"{name},city\n1,Oslo\n".encode())
    assert reader.header.names == (name, "city")
    assert rows_of(reader) == [("1", "Oslo")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04", "ARCHIVE_INVALID"),
        (b"PK\x07\x08rest", "UNSUPPORTED_FORMAT"),
        (b"PAR1", "PARQUET_INVALID"),
        (b"PAR1\x15\x04", "PARQUET_INVALID"),
    ],
)
def test_what_begins_like_another_format_and_is_damaged_is_refused(
    open_bytes: Open, content: bytes, code: str
) -> None:
    assert refusal(lambda: open_bytes(content)).code == code


def test_names_of_many_countries_are_refused_with_the_likely_encoding(open_bytes: Open) -> None:
    names = ["Jörg Groß", "Søren Kjær", "François Lefèvre", "Åsa", "José Núñez"] * 20
    text = "id,name\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names))
    error = refusal(lambda: open_bytes(text.encode("latin-1")))
    assert error.code == "ENCODING_INVALID"
    assert "windows-1252, confidence 0.4" in error.message
