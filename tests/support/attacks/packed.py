"""S1 to S5 and S72: gzip and zstd."""

from __future__ import annotations

import gzip
import zlib

import pyarrow as pa

from attacks.case import GOOD_CSV, Attack, Failed, Read, Refused

MEBIBYTE = 1024 * 1024
MEMBERS = "compressed_members of 1000"
RATIO = "inflate_ratio of 100"


def gzip_zeros() -> bytes:
    """200 MiB of zeros, about 1,000 times smaller."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MEBIBYTE)
    return b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


def zstd_zeros() -> bytes:
    return zstd(bytes(200 * MEBIBYTE))


def zstd_window() -> bytes:
    """A frame that asks for a window of 2 GiB; one block of a repeated byte."""
    descriptor, window = b"\x80", bytes([21 << 3])
    size = (2**31).to_bytes(4, "little")
    return b"\x28\xb5\x2f\xfd" + descriptor + window + size + b"\x03\x00\x02a"


def members(*texts: bytes) -> bytes:
    return b"".join(map(gzip.compress, texts))


def wrong_crc() -> bytes:
    packed = bytearray(gzip.compress(GOOD_CSV))
    packed[-8] ^= 1
    return bytes(packed)


def many_rows() -> bytes:
    return b"id,name\n" + b"".join(b"%d,name %d\n" % (n, n) for n in range(1, 200_001))


def cut_after_rows() -> bytes:
    """A gzip file whose end is missing, long after its first chunks."""
    return gzip.compress(many_rows(), 1)[:-9]


BAD_GZIP = ("compressed byte",)
LIMIT = "DECOMPRESSION_LIMIT"
PACKED = (
    Attack(
        id="S1",
        make=gzip_zeros,
        name="zeros.csv.gz",
        answer=Failed(code=LIMIT, says=(RATIO,)),
    ),
    Attack(id="S72a", make=zstd_zeros, answer=Failed(code=LIMIT, says=(RATIO,))),
    Attack(
        id="S72b",
        make=zstd_window,
        answer=Failed(code=LIMIT, says=("zstd_window_bytes of 8388608",)),
    ),
    Attack(
        id="S72c",
        make=lambda: zstd(GOOD_CSV)[:-3],
        answer=Failed(code="CORRUPT_ZSTD", says=BAD_GZIP),
    ),
    Attack(
        id="S72d",
        make=lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 1_000_000,
        answer=Failed(code=LIMIT, says=(MEMBERS,)),
    ),
    Attack(
        id="S72e",
        make=lambda: zstd(GOOD_CSV) + zstd(b"3,Cid\n"),
        answer=Read(loaded=3),
    ),
    Attack(
        id="S2",
        make=lambda: gzip.compress(gzip.compress(gzip.compress(GOOD_CSV))),
        answer=Failed(code="UNSUPPORTED_FORMAT", says=("gzip data inside packed data",)),
    ),
    Attack(
        id="S2-zstd",
        make=lambda: gzip.compress(zstd(GOOD_CSV)),
        answer=Failed(code="UNSUPPORTED_FORMAT", says=("zstd data",)),
    ),
    Attack(
        id="S3a",
        make=lambda: members(GOOD_CSV, b"3,Cid\n", b"4,Dan\n"),
        answer=Read(loaded=4),
    ),
    Attack(
        id="S3b",
        make=lambda: members(GOOD_CSV, *[b"3,Cid\n"] * 1_000),
        answer=Failed(code=LIMIT, says=(MEMBERS,)),
    ),
    Attack(
        id="S3c",
        make=lambda: gzip.compress(b"") * 1_000_000,
        answer=Failed(code=LIMIT, says=(MEMBERS,)),
    ),
    Attack(
        id="S4a",
        make=lambda: gzip.compress(GOOD_CSV) + b"garbage",
        options={"atomicity": "file"},
        answer=Failed(code="CORRUPT_GZIP", says=BAD_GZIP),
    ),
    Attack(
        id="S4b",
        make=cut_after_rows,
        options={"atomicity": "file"},
        answer=Failed(code="CORRUPT_GZIP", says=BAD_GZIP),
    ),
    Attack(
        id="S4c",
        make=wrong_crc,
        options={"atomicity": "file"},
        answer=Failed(code="CORRUPT_GZIP", says=BAD_GZIP),
    ),
    Attack(
        id="S5-bomb",
        make=gzip_zeros,
        headers={"Content-Encoding": "gzip"},
        answer=Failed(code=LIMIT, says=(RATIO,)),
    ),
    *(
        Attack(
            id=f"S5-{encoding.replace(', ', '-')}",
            make=lambda: gzip.compress(GOOD_CSV),
            headers={"Content-Encoding": encoding},
            answer=Refused(status=415, code="UNSUPPORTED_ENCODING"),
        )
        for encoding in ("gzip, gzip", "br", "deflate", "zstd")
    ),
)
