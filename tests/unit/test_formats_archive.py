"""Zip archives: one file is taken out of one, and every lie is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from reading import open_content, refusal, rows_of
from waybill.model.limits import Limits
from workbooks import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.ports.reader import Reader

    Open = Callable[..., Reader]

CSV = b"id,name\n1,Ann\n2,Bob\n"


@pytest.fixture
def open_bytes(tmp_path: Path) -> Open:
    return lambda content, **options: open_content(tmp_path, content, **options)


def test_the_one_file_is_read_under_its_name(open_bytes: Open) -> None:
    reader = open_bytes(archive({"data/stores.csv": CSV}), file_name="stores.zip")
    assert reader.header.facts["compression"] == "zip"
    assert rows_of(reader) == [("1", "Ann"), ("2", "Bob")]


def test_what_systems_leave_behind_is_passed_over(open_bytes: Open) -> None:
    members = {"__MACOSX/._a.csv": b"x", "a.csv": CSV, ".DS_Store": b"y", "sub/Thumbs.db": b"z"}
    assert len(rows_of(open_bytes(archive(members)))) == 2


def test_a_large_member_is_streamed(open_bytes: Open) -> None:
    body = b"".join(b"%d,name %d\n" % (n, n * 7919 % 1000) for n in range(300_000))
    assert len(rows_of(open_bytes(archive({"a.csv": b"id,name\n" + body})))) == 300_000


def test_several_files_are_ambiguous(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(archive({"a.csv": CSV, "b.csv": CSV})))
    assert error.code == "ARCHIVE_AMBIGUOUS"
    assert "'a.csv', 'b.csv'" in error.message


def test_s2_packed_data_inside_of_an_archive_is_refused(open_bytes: Open) -> None:
    inner = archive({"a.csv": CSV})
    assert refusal(lambda: open_bytes(archive({"a.zip": inner}))).code == "UNSUPPORTED_FORMAT"
    assert refusal(lambda: open_bytes(archive({}))).code == "ARCHIVE_INVALID"


def with_info(change: Callable[[zipfile.ZipInfo], None], content: bytes = CSV) -> bytes:
    buffer = io.BytesIO()
    info = zipfile.ZipInfo("a.csv")
    change(info)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "C:\\x.csv", "a/../../x", "a\\b.csv"])
def test_s12_names_that_are_no_plain_paths(open_bytes: Open, name: str) -> None:
    content = with_info(lambda info: setattr(info, "filename", name))
    assert refusal(lambda: open_bytes(content)).code == "ARCHIVE_INVALID"


def test_s12_a_link_is_refused(open_bytes: Open) -> None:
    link = (stat.S_IFLNK | 0o777) << 16
    content = with_info(lambda info: setattr(info, "external_attr", link), b"/etc/passwd")
    assert refusal(lambda: open_bytes(content)).code == "ARCHIVE_INVALID"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_s12_one_name_twice_is_refused(open_bytes: Open) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.csv", CSV)
        packed.writestr("a.csv", CSV)
    error = refusal(lambda: open_bytes(buffer.getvalue()))
    assert (error.code, "twice" in error.message) == ("ARCHIVE_INVALID", True)


def directory_of(content: bytes) -> int:
    return content.rindex(b"PK\x01\x02")


def patched(content: bytes, offset: int, layout: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, value)
    return bytes(changed)


def test_s12_an_encrypted_member_says_so(open_bytes: Open) -> None:
    content = archive({"a.csv": CSV})
    locked = patched(content, directory_of(content) + 8, "<H", 1)
    assert refusal(lambda: open_bytes(locked)).code == "ENCRYPTED_FILE"


@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [
        (24, "<I", len(CSV) - 1),  # unpacked size
        (24, "<I", len(CSV) + 1),
        (20, "<I", 5),  # packed size
        (16, "<I", 1),  # checksum
        (42, "<I", 3),  # where it begins
        (10, "<H", 99),  # method
    ],
)
def test_s12_a_directory_that_lies_is_refused(
    open_bytes: Open, offset: int, layout: str, value: int
) -> None:
    content = archive({"a.csv": CSV})
    lying = patched(content, directory_of(content) + offset, layout, value)
    error = refusal(lambda: rows_of(open_bytes(lying)))
    assert error.code == "ARCHIVE_INVALID"


def overlapping(entries: int) -> bytes:
    """Many entries of the directory over one block of data (CVE-2024-0450)."""
    content = archive({"a.csv": b"x" * 10_000})
    begin = directory_of(content)
    end = content.rindex(b"PK\x05\x06")
    entry = content[begin:end]
    tail = bytearray(content[end:])
    struct.pack_into("<HHI", tail, 8, entries, entries, len(entry) * entries)
    return content[:begin] + entry * entries + bytes(tail)


def test_s11_members_over_one_block_of_data_are_refused(open_bytes: Open) -> None:
    assert refusal(lambda: open_bytes(overlapping(900))).code == "ARCHIVE_INVALID"


def test_s12_too_many_members_are_refused_unread(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(overlapping(5_000)))
    assert error.code == "ARCHIVE_LIMIT"
    assert "archive_members of 1000" in error.message


def test_a_bomb_is_refused_by_what_the_directory_says(open_bytes: Open) -> None:
    error = refusal(lambda: open_bytes(archive({"a.csv": b"0" * (20 << 20)})))
    assert error.code == "DECOMPRESSION_LIMIT"
    small = Limits(inflated_bytes=10)
    assert refusal(lambda: open_bytes(archive({"a.csv": CSV}), limits=small)).code == (
        "DECOMPRESSION_LIMIT"
    )


@pytest.mark.parametrize("cut", [1, 10, 30, 60])
def test_a_cut_archive_is_invalid(open_bytes: Open, cut: int) -> None:
    content = archive({"a.csv": CSV})
    assert refusal(lambda: open_bytes(content[:-cut])).code == "ARCHIVE_INVALID"


def test_a_directory_that_leads_out_of_the_file_is_refused(open_bytes: Open) -> None:
    content = bytearray(archive({"a.csv": b"id\n1\n"}))
    struct.pack_into("<I", content, content.index(b"PK\x05\x06") + 16, 0xFFFFFF00)
    assert refusal(lambda: open_bytes(bytes(content))).code == "ARCHIVE_INVALID"


def test_a_member_that_needs_a_newer_reader_is_refused(open_bytes: Open) -> None:
    content = bytearray(archive({"a.csv": b"id\n1\n"}))
    content[content.index(b"PK\x01\x02") + 6] = 255
    assert refusal(lambda: open_bytes(bytes(content))).code == "ARCHIVE_INVALID"


def with_comment(comment: bytes) -> bytes:
    buffer = io.BytesIO(archive({"a.csv": CSV}))
    with zipfile.ZipFile(buffer, "a") as packed:
        packed.comment = comment
    return buffer.getvalue()


def test_a_comment_is_passed_over(open_bytes: Open) -> None:
    assert len(rows_of(open_bytes(with_comment(b"made by hand")))) == 2


def test_a_file_that_two_readers_could_read_in_two_ways_is_refused(open_bytes: Open) -> None:
    other = archive({"b.csv": b"id,name\n9,Eve\n"})
    end = other[other.rindex(b"PK\x05\x06") :]
    assert "follows its end" in refusal(lambda: open_bytes(other + b"more")).message
    assert (
        "stands before it" in refusal(lambda: open_bytes(other + archive({"a.csv": CSV}))).message
    )
    for comment in (end, end + b"x"):
        assert (
            refusal(lambda text=comment: open_bytes(with_comment(text))).code == "ARCHIVE_INVALID"
        )


def test_names_that_differ_in_their_case_only_are_one_name(open_bytes: Open) -> None:
    twins = archive({"a.csv": CSV, "A.CSV": CSV})
    assert "twice" in refusal(lambda: open_bytes(twins)).message


def test_a_directory_with_64_bit_sizes_is_read(open_bytes: Open) -> None:
    content = archive({"a.csv": CSV})
    begin, at = directory_of(content), content.rindex(b"PK\x05\x06")
    wide = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, at - begin, begin
    ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    assert len(rows_of(open_bytes(content[:at] + wide + end))) == 2
