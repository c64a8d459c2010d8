"""Published limits: one object, shown at ``/v1/limits`` and set in ``waybill.toml``."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, counts in ones; defaults after the table of ``docs/reference/limits.md``."""

    request_body_bytes: int = 5 * GIBIBYTE
    small_body_bytes: int = 64 * 1024
    inflated_bytes: int = 10 * GIBIBYTE
    inflate_ratio: int = 100
    inflate_ratio_after_bytes: int = MEBIBYTE
    compressed_members: int = 1_000
    zstd_window_bytes: int = 8 * MEBIBYTE
    archive_members: int = 1_000
    line_bytes: int = MEBIBYTE
    field_bytes: int = MEBIBYTE
    columns: int = 4_096
    header_name_characters: int = 256
    record_bytes: int = MEBIBYTE
    nesting_depth: int = 64
    xml_token_bytes: int = MEBIBYTE
    xml_attributes: int = 256
    xlsx_cells: int = 20_000_000
    xlsx_shared_string_bytes: int = 64 * MEBIBYTE
    parser_memory_bytes: int = 2 * GIBIBYTE
    parser_seconds: int = 300
    multipart_parts: int = 32
    multipart_headers_per_part: int = 16
    multipart_header_bytes: int = 8 * 1024
    page_records: int = 10_000
    wait_seconds: int = 60


PATTERN_CHARACTERS = 512
"""Longest regular expression of a schema; fixed, for schemas move between servers."""
