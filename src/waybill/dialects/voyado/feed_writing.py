"""Records as a feed of operations; memory is one product with its variants, and all categories."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Generator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from waybill.model.feed import ATTRIBUTES, ELEMENT, KEY, KIND, OWNER, PARENT, TEXT, key_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Record = Mapping[str, Any]
Records = Generator[tuple[int, Record], None, None]

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<operations>\n<clear>'
_MIDDLE: Final = "</clear>\n<add>\n"
_TAIL: Final = "</add>\n</operations>\n"
_KEYS: Final = {"product": "product_key", "variant": "variant_key", "category": "category_key"}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RETURN: Final = {"\r": "&#13;"}


def write_catalogue(records: Records) -> Iterator[str]:
    """Categories as a tree, then products in the order of their keys, each with its variants."""
    yield f"{_HEAD}<category_tree/><product/>{_MIDDLE}"
    groups = groupby(records, key=lambda numbered: numbered[0])
    for number, group in groups:
        found = (record for _, record in group)
        if number == 0:
            yield from _tree(found)
        else:
            yield from _products(found)
    yield _TAIL


def write_plain(records: Records, clears: Sequence[str]) -> Iterator[str]:
    """Records of any kinds. They come twice: all kinds must be named before the first record."""
    kinds = dict.fromkeys(clears)
    yield _HEAD
    is_begun = False
    for number, record in records:
        kind = str(record[KIND])
        if number == 0:
            kinds[kind] = None
            continue
        if not is_begun:
            is_begun = True
            yield "".join(f"<{name}/>" for name in kinds) + _MIDDLE
        attributes = _attributes(record)
        if ELEMENT in attributes:
            yield f"{attributes[ELEMENT]}\n"
            continue
        is_within = key_within(kind, attributes) == record[KEY]
        key = "" if is_within else _key(f"{kind}_key", record)
        yield f"<{kind}>{key}{_members(attributes)}</{kind}>\n"
    if not is_begun:
        yield "".join(f"<{name}/>" for name in kinds) + _MIDDLE
    yield _TAIL


def _tree(records: Iterable[Record]) -> Iterator[str]:
    """Nested categories; one whose parent is not there, or its own child, stands at the top."""
    texts: dict[str, str] = {}
    parents: dict[str, str] = {}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for record in records:
        attributes = _attributes(record)
        key = str(record[KEY])
        parents[key] = str(attributes.get(PARENT, ""))
        children[parents[key]].append(key)
        texts[key] = f"<category>{_key('category_key', record)}{_members(attributes)}"
    if not texts:
        return
    yield "<category_tree>\n"
    written: set[str] = set()
    tops = [key for key, parent in parents.items() if parent not in parents]
    for top in (*tops, *parents):
        yield from _branch(top, texts, children, written)
    yield "</category_tree>\n"


def _branch(
    top: str, texts: Mapping[str, str], children: Mapping[str, list[str]], written: set[str]
) -> Iterator[str]:
    """A category and all below it, none of them twice, without recursion."""
    waiting: list[str | None] = [top]
    while waiting:
        key = waiting.pop()
        if key is None:
            yield "</category>\n"
        elif key not in written:
            written.add(key)
            yield texts[key]
            waiting.append(None)
            waiting += reversed(children.get(key, []))


def _products(records: Iterable[Record]) -> Iterator[str]:
    for _, group in groupby(records, key=lambda record: record[OWNER]):
        product, variants = None, []
        for record in group:
            if record[KIND] == "product":
                product = record
            else:
                variants.append(record)
        yield from _product(product, variants)


def _product(product: Record | None, variants: Sequence[Record]) -> Iterator[str]:
    """A product with its variants; those without one stand alone, each with its product's key."""
    if product is None:
        for variant in variants:
            owner = f"<product_key>{_text(str(variant[OWNER]))}</product_key>"
            yield f"<variant>{owner}{_inside(variant)}</variant>\n"
        return
    nested = "".join(f"<variant>{_inside(each)}</variant>" for each in variants)
    wrapped = f"<variants>{nested}</variants>" if variants else ""
    yield f"<product>{_inside(product)}{wrapped}</product>\n"


def _inside(record: Record) -> str:
    return _key(_KEYS[str(record[KIND])], record) + _members(_attributes(record))


def _attributes(record: Record) -> dict[str, Any]:
    told = record[ATTRIBUTES]
    return msgspec.json.decode(told, type=dict[str, Any]) if told else {}


def _key(name: str, record: Record) -> str:
    return f"<{name}>{_text(str(record[KEY]))}</{name}>"


def _members(attributes: Mapping[str, Any]) -> str:
    parts = (_member(name, value) for name, value in attributes.items() if name != PARENT)
    return "".join(parts)


def _member(name: str, value: object) -> str:
    if name == TEXT:
        return _text(str(value))
    if not isinstance(value, dict):
        return "".join(f"<{name}>{_text(each)}</{name}>" for each in _each(value))
    return "".join(
        _localised(name, kind, each) for kind, texts in value.items() for each in _each(texts)
    )


def _localised(name: str, kind: str, text: object) -> str:
    if kind == ELEMENT:
        return str(text)
    locale = f" locale={quoteattr(_NOT_XML.sub(_INSTEAD, kind))}" if kind else ""
    return f"<{name}{locale}>{_text(text)}</{name}>"


def _each(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


_INSTEAD: Final = "\ufffd"


def _text(value: object) -> str:
    """Text of an element; what XML cannot hold is replaced."""
    text = (
        ""
        if value is None
        else value
        if isinstance(value, str)
        else msgspec.json.encode(value).decode()
    )
    return escape(_NOT_XML.sub(_INSTEAD, text), _RETURN)
