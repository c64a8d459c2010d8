"""S66 to S69: XML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks.case import Attack, Failed, Read

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = "<people><person><id>1</id><name>Ann</name></person></people>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
FILE = "file:///etc/passwd"
LISTENER = "http://127.0.0.1:9/x.dtd"


def typed(subset: str, name: str = "Ann", attribute: str = "") -> bytes:
    """A document with a type; entities of its subset may stand in the name."""
    person = f"<person note='{attribute}'><id>1</id><name>{name}</name></person>"
    return f'<?xml version="1.0"?>\n<!DOCTYPE people{subset}>\n<people>{person}</people>'.encode()


def token(before: str, after: str, mebibytes: int = 64) -> Iterator[bytes]:
    """One token of so many mebibytes in pieces of 4 KiB."""
    yield f"<people>{before}".encode()
    for _ in range(mebibytes * 256):
        yield b"a" * 4_096
    yield f"{after}</people>".encode()


def marked_comment() -> Iterator[bytes]:
    """A comment full of what looks like markup."""
    yield b"<people><!--"
    for _ in range(64 * 256):
        yield b"<b>x" * 1_024
    yield b"--></people>"


def empty_rows() -> Iterator[bytes]:
    """Three million records without a field, and a good one."""
    yield b"<people><person><id>1</id><name>Ann</name></person>"
    for _ in range(300):
        yield b"<person/>" * 10_000
    yield b"</people>"


def many_rows() -> Iterator[bytes]:
    """Three million good records, of 130 MB."""
    yield b"<people>"
    for begin in range(0, 3_000_000, 10_000):
        yield b"".join(b'<person id="%d" name="N"/>\n' % n for n in range(begin, begin + 10_000))
    yield b"</people>"


def nested(levels: int) -> bytes:
    deep = "<a>" * levels + "</a>" * levels
    return f"<people><person><id>1</id><name>{deep}</name></person></people>".encode()


def attributes(count: int) -> bytes:
    many = " ".join(f'a{n}="1"' for n in range(count))
    return f'<people><person id="1" name="Ann" {many}/></people>'.encode()


def namespaces(count: int) -> bytes:
    many = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(count))
    return f"<people><person {many}><id>1</id><name>Ann</name></person></people>".encode()


def namespaces_one_each(count: int) -> bytes:
    """Every record has a namespace of its own; names are compared without it."""
    people = "".join(
        f'<n:person xmlns:n="urn:{n}"><n:id>{n}</n:id><n:name>N{n}</n:name></n:person>'
        for n in range(count)
    )
    return f"<people>{people}</people>".encode()


def included() -> bytes:
    return (
        f'<?xml version="1.0"?><?xml-stylesheet href="{LISTENER}"?>'
        '<people xmlns:xi="http://www.w3.org/2001/XInclude" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="urn:x {LISTENER}">'
        f'<person><id>1</id><name>Ann</name><note><xi:include href="{FILE}" parse="text"/></note>'
        "</person></people>"
    ).encode()


def declared(encoding: str, name: str, codec: str) -> bytes:
    text = f'<?xml version="1.0" encoding="{encoding}"?>'
    person = f"<person><id>1</id><name>{name}</name></person>"
    return f"{text}<people>{person}</people>".encode(codec)


def long_name() -> bytes:
    name = "n" * 100_000
    return (
        f"<people><person><id>1</id><name>Ann</name><{name}>1</{name}></person></people>".encode()
    )


FORBIDDEN = Failed(code="XML_DTD_FORBIDDEN", loaded=0)
TOO_LONG = Failed(code="XML_TOKEN_TOO_LONG", says=("xml_token_bytes of 1048576",))
DOCUMENTS = (
    Attack(id="S66-empty", make=lambda: typed(""), answer=FORBIDDEN),
    Attack(id="S66-laughs", make=lambda: typed(f" [{LAUGHS}]", "&l9;"), answer=FORBIDDEN),
    Attack(
        id="S66-entity",
        make=lambda: typed(f' [<!ENTITY e "{"x" * 70_000}">]', "&e;" * 1_000),
        answer=FORBIDDEN,
    ),
    Attack(
        id="S66-entity-attribute",
        make=lambda: typed(f' [<!ENTITY e "{"x" * 70_000}">]', "Ann", "&e;" * 1_000),
        answer=FORBIDDEN,
    ),
    Attack(
        id="S66-file",
        make=lambda: typed(f' [<!ENTITY x SYSTEM "{FILE}">]', "&x;"),
        answer=FORBIDDEN,
    ),
    Attack(id="S66-dtd-file", make=lambda: typed(f' SYSTEM "{FILE}"'), answer=FORBIDDEN),
    Attack(id="S66-dtd-net", make=lambda: typed(f' SYSTEM "{LISTENER}"'), answer=FORBIDDEN),
    Attack(
        id="S66-parameter",
        make=lambda: typed(f' [<!ENTITY % p SYSTEM "{LISTENER}"> %p;]'),
        answer=FORBIDDEN,
    ),
    Attack(
        id="S66-wide",
        make=lambda: b"\xff\xfe" + typed("").decode().encode("utf-16-le"),
        answer=FORBIDDEN,
    ),
    Attack(id="S67-attribute", make=lambda: token('<person note="', '"/>'), answer=TOO_LONG),
    Attack(
        id="S67-text", make=lambda: token("<person><note>", "</note></person>"), answer=TOO_LONG
    ),
    Attack(id="S67-comment", make=lambda: token("<!--", "-->"), answer=TOO_LONG),
    Attack(id="S67-comment-marks", make=marked_comment, answer=TOO_LONG),
    Attack(id="S67-pi", make=lambda: token("<?x ", "?>"), answer=TOO_LONG),
    Attack(
        id="S67-cdata",
        make=lambda: token("<person><note><![CDATA[", "]]></note></person>"),
        answer=TOO_LONG,
    ),
    Attack(
        id="S67-rows-empty",
        make=empty_rows,
        answer=Failed(code="MAX_ERRORS_EXCEEDED"),
        options={"max_errors": "10"},
    ),
    Attack(
        id="S67-rows",
        make=many_rows,
        answer=Read(loaded=3_000_000),
        is_long=True,
        seconds=300,
    ),
    Attack(
        id="S68-elements",
        make=lambda: nested(1_000_000),
        answer=Failed(code="XML_TOO_DEEP", says=("nesting_depth of 64",)),
    ),
    Attack(
        id="S68-elements-100",
        make=lambda: nested(100),
        answer=Failed(code="XML_TOO_DEEP", says=("nesting_depth of 64",)),
    ),
    Attack(
        id="S68-attributes",
        make=lambda: attributes(1_000_000),
        answer=TOO_LONG,
    ),
    Attack(
        id="S68-attributes-300",
        make=lambda: attributes(300),
        answer=Failed(code="XML_INVALID", says=("xml_attributes of 256",)),
    ),
    Attack(
        id="S68-namespaces",
        make=lambda: namespaces(1_000_000),
        answer=TOO_LONG,
    ),
    Attack(
        id="S68-namespaces-300",
        make=lambda: namespaces(300),
        answer=Read(loaded=1),
    ),
    Attack(
        id="S68-namespaces-each",
        make=lambda: namespaces_one_each(5_000),
        answer=Read(loaded=5_000),
    ),
    Attack(id="S69-include", make=included, answer=Read(loaded=0, rejected={1: "KIND_MISMATCH"})),
    Attack(
        id="S69-utf7",
        make=lambda: declared("UTF-7", "A+AOk-", "ascii"),
        answer=Failed(code="ENCODING_INVALID"),
    ),
    Attack(
        id="S69-utf16",
        make=lambda: declared("UTF-16", "Zoë", "utf-16"),
        answer=Read(loaded=1, kept={1: {"name": "Zoë"}}),
    ),
    Attack(
        id="S69-utf16-without-bom",
        make=lambda: declared("UTF-16", "Zoë", "utf-16-le"),
        name="a.xml",
        answer=Failed(code="ENCODING_INVALID"),
    ),
    Attack(
        id="S69-latin",
        make=lambda: declared("ISO-8859-1", "Zoë", "iso8859-1"),
        answer=Read(loaded=1, kept={1: {"name": "Zoë"}}),
    ),
    Attack(
        id="S69-content-type",
        make=lambda: declared("UTF-8", "Ann", "utf-8"),
        headers={"Content-Type": "application/xml; charset=iso-8859-1"},
        answer=Failed(code="ENCODING_INVALID"),
    ),
    Attack(
        id="S69-bytes",
        make=lambda: b"<people><person><id>1</id><name>\xff</name></person></people>",
        answer=Failed(code="XML_INVALID"),
    ),
    Attack(
        id="S16-xml-surrogate",
        make=lambda: PEOPLE.replace("Ann", "&#xD800;").encode(),
        answer=Failed(code="XML_INVALID"),
    ),
    Attack(
        id="S14-xml-header",
        make=long_name,
        answer=Failed(code="XML_INVALID", says=("header_name_characters of 256",)),
    ),
    Attack(
        id="S14-xml-columns",
        make=lambda: "<people><person>{}</person></people>".format(
            "".join(f"<c{n}/>" for n in range(100_000))
        ).encode(),
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",)),
    ),
)
