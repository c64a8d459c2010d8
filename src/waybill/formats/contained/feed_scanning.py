"""Plain records of a feed by arrays: elements that hold nothing but elements of text.

What is not certain to be plain is left to the XML parser: markup declarations, attributes, nested
elements, names that come again behind others, names and keys that may have to be refused, other
references than the five. So nothing is accepted here that the parser would refuse, and nothing is
read in another way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.formats.arrow_spans import spans_of
from waybill.formats.contained.feed_elements import is_attribute_name
from waybill.model.feed import VALUE_CHARACTERS, key_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.feed import Feed

    Bytes = np.ndarray[Any, np.dtype[np.uint8]]
    Numbers = np.ndarray[Any, np.dtype[np.int64]]
    Counted = np.ndarray[Any, np.dtype[np.int32]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Texts = Any  # pyarrow's arrays of text, of which the stubs know less than they do

_OPEN, _CLOSE, _SLASH = (ord(each) for each in "<>/")
_MARKUP: Final = (b"<!", b"<?")
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
"""The last one last: what it makes is no reference any more."""

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SPACE: Final = 32
"""Bytes up to this are blanks, for no text with others of them is looked at any further."""

_ALLOWED_CONTROLS: Final = (b"\t", b"\n", b"\r")
_NONCHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The whole elements at the beginning of a text.

    ``starts``, ``ends``: where each lies. ``plain``: numbers of those that are read; their
    ``kinds``, ``keys`` and ``attributes`` (JSON) run in parallel.
    """

    starts: Numbers
    ends: Numbers
    plain: Numbers
    kinds: Texts
    keys: Texts
    attributes: Texts

    @property
    def consumed(self) -> int:
        """So many bytes belong to the elements."""
        return int(self.ends[-1]) if len(self.ends) else 0

    def part(self, begin: int, count: int) -> Scanned:
        """Some of the plain ones, by their place among those."""
        return replace(
            self,
            plain=self.plain[begin : begin + count],
            kinds=self.kinds[begin : begin + count],
            keys=self.keys[begin : begin + count],
            attributes=self.attributes[begin : begin + count],
        )

    def without_plain(self) -> Scanned:
        """The same, none of them read."""
        return self.part(0, 0)


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of a text: where each begins and ends, what it does, how deep it leaves us."""

    begins: Numbers
    ends: Numbers
    closes: Flags
    empties: Flags
    depths: Numbers

    def upto(self, count: int) -> _Tags:
        return _Tags(
            self.begins[:count],
            self.ends[:count],
            self.closes[:count],
            self.empties[:count],
            self.depths[:count],
        )


def scan(text: bytes, feed: Feed, *, is_update: bool) -> Scanned | None:
    """The elements that a text begins with, which stands directly in an operation.

    ``None`` where there is none that is whole and certain.
    """
    text = _without_markup(text)
    array: Bytes = np.frombuffer(text, dtype=np.uint8)
    dark = _counted(array > _SPACE)
    tags = _whole_elements(_certain_tags(array), dark)
    if tags is None:
        return None
    end = int(tags.ends[-1]) + 1
    text, array = text[:end], array[:end]
    if not _is_text(text, array):
        return None
    lasts = np.flatnonzero(tags.depths == 0)
    firsts = np.concatenate([[0], lasts[:-1] + 1])
    found = _Elements(
        text=text,
        array=array,
        dark=dark,
        tags=tags,
        firsts=firsts,
        lasts=lasts,
        feed=feed,
        is_update=is_update,
    )
    plain, kinds, keys, attributes = found.read()
    return Scanned(
        starts=tags.begins[firsts],
        ends=tags.ends[lasts] + 1,
        plain=plain,
        kinds=kinds,
        keys=keys,
        attributes=attributes,
    )


def _without_markup(text: bytes) -> bytes:
    """What stands before the first comment, instruction or other declaration."""
    for mark in _MARKUP:
        at = text.find(mark)
        text = text if at < 0 else text[:at]
    return text


def _certain_tags(array: Bytes) -> _Tags:
    """All tags up to the first thing that is no simple tag, or may be none."""
    begins, ends = np.flatnonzero(array == _OPEN), np.flatnonzero(array == _CLOSE)
    count = min(len(begins), len(ends))
    begins, ends = begins[:count], ends[:count]
    after = array[np.minimum(begins + 1, len(array) - 1)]
    is_odd = begins > ends
    is_odd[:-1] |= begins[1:] < ends[:-1]
    stop = int(np.argmax(is_odd)) if is_odd.any() else count
    begins, ends, after = begins[:stop], ends[:stop], after[:stop]
    closes = after == _SLASH
    empties = ~closes & (array[ends - 1] == _SLASH) if stop else closes
    steps = np.where(closes, -1, np.where(empties, 0, 1))
    return _Tags(begins, ends, closes, empties, np.cumsum(steps))


def _counted(flags: Flags) -> Counted:
    """How many are set before each place, and before the end."""
    counts = np.zeros(len(flags) + 1, dtype=np.int32)
    np.cumsum(flags, dtype=np.int32, out=counts[1:])
    return counts


def _whole_elements(tags: _Tags, dark: Counted) -> _Tags | None:
    """The tags of whole elements with nothing but blanks between them, if there are any."""
    below = np.flatnonzero(tags.depths < 0)
    if len(below):
        tags = tags.upto(int(below[0]))
    lasts = np.flatnonzero(tags.depths == 0)
    if not len(lasts):
        return None
    firsts = np.concatenate([[0], lasts[:-1] + 1])
    before = np.concatenate([[0], tags.ends[lasts[:-1]] + 1])
    is_stained = dark[tags.begins[firsts]] > dark[before]
    count = int(np.argmax(is_stained)) if is_stained.any() else len(lasts)
    return tags.upto(int(lasts[count - 1]) + 1) if count else None


def _is_text(text: bytes, array: Bytes) -> bool:
    """Whether the bytes are UTF-8 of characters that XML has."""
    allowed = sum(text.count(each) for each in _ALLOWED_CONTROLS)
    if np.count_nonzero(array < _SPACE) != allowed:
        return False
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return not any(each in text for each in _NONCHARACTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elements:
    """Whole elements; ``firsts``, ``lasts``: the numbers of the tags that begin and end each.

    ``dark``: how many bytes are no blanks before each place.
    """

    text: bytes
    array: Bytes
    dark: Counted
    tags: _Tags
    firsts: Numbers
    lasts: Numbers
    feed: Feed
    is_update: bool

    def read(self) -> tuple[Numbers, Texts, Texts, Texts]:
        """Numbers, kinds, keys and attributes of the plain ones."""
        names, codes = self._names()
        plain = self._are_plain_shapes(codes)
        kind_codes = codes[self.firsts]
        keys_of = self._key_codes(names)
        plain &= keys_of[kind_codes] >= 0
        numbers = np.flatnonzero(plain)
        if not len(numbers):
            return numbers, _no_texts(), _no_texts(), _no_texts()
        leaves, owners = self._leaves(numbers)
        is_key = codes[leaves] == keys_of[kind_codes[numbers]][owners]
        texts, bad = self._texts(leaves)
        bad |= self._bad_leaves(names, codes[leaves], leaves, is_key)
        bad_owners = np.bincount(owners, weights=is_key, minlength=len(numbers)) != 1
        bad_owners[owners[bad]] = True
        bad_owners |= _returning(owners[~is_key], codes[leaves][~is_key], len(numbers))
        keys = _refuse_keys(texts.filter(pa.array(is_key & ~bad_owners[owners])), bad_owners)
        is_member = ~is_key & ~bad_owners[owners]
        renumbered = np.cumsum(~bad_owners) - 1
        numbers = numbers[~bad_owners]
        attributes = _objects(
            names,
            codes[leaves][is_member],
            texts.filter(pa.array(is_member)),
            renumbered[owners[is_member]],
            len(numbers),
        )
        kinds = pa.array(names).take(pa.array(kind_codes[numbers], pa.int64()))
        return numbers, kinds, keys, attributes

    def _names(self) -> tuple[list[str], Numbers]:
        """The different names of tags, and which each has; -1 for what is no plain tag."""
        tags = self.tags
        edges = np.empty(2 * len(tags.begins), dtype=np.int32)
        edges[0::2], edges[1::2] = tags.begins + 1 + tags.closes, tags.ends
        encoded = spans_of(self.text, edges).dictionary_encode()
        names = encoded.dictionary.to_pylist()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        is_odd = np.array([not is_attribute_name(name) for name in names], dtype=np.bool_)
        if is_odd.any():
            codes[is_odd[codes]] = -1
        return names, codes

    def _are_plain_shapes(self, codes: Numbers) -> Flags:
        """Which elements are one level of text elements, with nothing beside them."""
        tags = self.tags
        total = len(tags.begins)
        opens = ~tags.closes
        is_odd = (codes < 0) | tags.empties | (tags.depths > 2)  # noqa: PLR2004 - an element in an element
        is_leaf = np.zeros(total, dtype=np.bool_)
        is_leaf[:-1] = opens[:-1] & tags.closes[1:] & (tags.depths[:-1] == 2)  # noqa: PLR2004 - the same
        is_odd[:-1] |= is_leaf[:-1] & (codes[:-1] != codes[1:])
        is_odd |= opens & (tags.depths == 2) & ~is_leaf  # noqa: PLR2004 - the same
        between = np.zeros(total, dtype=np.bool_)
        between[:-1] = self.dark[tags.begins[1:]] > self.dark[tags.ends[:-1] + 1]
        is_odd |= between & ~is_leaf
        counts = _counted(is_odd)
        plain: Flags = counts[self.lasts + 1] == counts[self.firsts]
        plain &= (self.lasts > self.firsts) & (codes[self.lasts] == codes[self.firsts])
        return plain

    def _key_codes(self, names: list[str]) -> Numbers:
        """By code of a kind the code of what holds its key; -1 where records are not plain."""
        code_of = {name: code for code, name in enumerate(names)}
        found = np.full(len(names) + 1, -1, dtype=np.int64)  # the last one is for code -1
        for kind, element in self.feed.elements.items():
            if kind in code_of and not element.inside and not element.nests:
                found[code_of[kind]] = code_of.get(element.key, -1)
        return found

    def _leaves(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """The tags that open the texts of these elements, and the place of the element of each."""
        firsts, lasts = self.firsts[numbers], self.lasts[numbers]
        counts = (lasts - firsts - 1) // 2
        owners = np.repeat(np.arange(len(numbers)), counts)
        begun = np.cumsum(counts) - counts
        within = np.arange(int(counts.sum())) - np.repeat(begun, counts)
        return firsts[owners] + 1 + 2 * within, owners

    def _texts(self, leaves: Numbers) -> tuple[Texts, Flags]:
        """What stands between the tags; and where other references than the five do."""
        edges = np.empty(2 * len(leaves), dtype=np.int32)
        edges[0::2], edges[1::2] = self.tags.ends[leaves] + 1, self.tags.begins[leaves + 1]
        texts = spans_of(self.text, edges)
        bad = np.zeros(len(leaves), dtype=np.bool_)
        if b"\r" in self.text:
            texts = _replaced(texts, {"\r\n": "\n", "\r": "\n"})
        if b"&" not in self.text:
            return texts, bad
        has_reference: Any = pc.match_substring(texts, "&")
        some = texts.filter(has_reference)
        rest: Any = pc.match_substring(_replaced(some, dict.fromkeys(_ENTITIES, "")), "&")
        places = np.flatnonzero(has_reference.to_numpy(zero_copy_only=False))
        bad[places[rest.to_numpy(zero_copy_only=False)]] = True
        return pc.replace_with_mask(texts, has_reference, _replaced(some, _ENTITIES)), bad

    def _bad_leaves(
        self, names: list[str], codes: Numbers, leaves: Numbers, is_key: Flags
    ) -> Flags:
        """Which texts cannot be read here, or may have to be refused."""
        inner = {name for name, each in self.feed.elements.items() if each.inside}
        taken_names = inner | set(self.feed.wrappers) | self.feed.reserved
        is_taken = np.array([name in taken_names for name in names], dtype=np.bool_)
        bad: Flags = is_taken[codes] & ~is_key
        sizes = self.tags.begins[leaves + 1] - self.tags.ends[leaves] - 1
        bad |= sizes > VALUE_CHARACTERS
        if self.is_update:
            bad |= (sizes == 0) & ~is_key
        return bad


def _refuse_keys(keys: Texts, bad_owners: Flags) -> Texts:
    """The good ones of the keys of all elements that are not bad; notes which others are."""
    trimmed = pc.utf8_trim(keys, " \t\r\n")
    is_bad = np.array([key_fault(key) is not None for key in trimmed.to_pylist()], dtype=np.bool_)
    bad_owners[np.flatnonzero(~bad_owners)[is_bad]] = True
    return trimmed.filter(pa.array(~is_bad))


def _returning(owners: Numbers, codes: Numbers, count: int) -> Flags:
    """Which elements have two texts of one name with others between them."""
    found = np.zeros(count, dtype=np.bool_)
    if not len(codes) or _are_even(owners, codes, count):
        return found
    begins = ~_go_on(owners, codes)
    owners, codes = owners[begins], codes[begins]
    width = int(codes.max()) + 1
    pairs = np.sort(owners * width + codes)
    found[pairs[1:][pairs[1:] == pairs[:-1]] // width] = True
    return found


def _go_on(owners: Numbers, codes: Numbers) -> Flags:
    """Which texts have the name of the one before them in the same element."""
    same = np.zeros(len(codes), dtype=np.bool_)
    same[1:] = (codes[1:] == codes[:-1]) & (owners[1:] == owners[:-1])
    return same


def _are_even(owners: Numbers, codes: Numbers, count: int) -> bool:
    """Whether all elements have the same names in one order, each once."""
    each, rest = divmod(len(codes), count)
    if rest or not each or not (owners == np.repeat(np.arange(count), each)).all():
        return False
    rows = codes.reshape(count, each)
    return bool((rows == rows[0]).all()) and len(set(rows[0].tolist())) == each


def _objects(names: list[str], codes: Numbers, texts: Texts, owners: Numbers, count: int) -> Texts:
    """JSON objects of the texts by name; several of one name in a row are an array."""
    goes_on = _go_on(owners, codes)
    told = [msgspec.json.encode(name).decode() for name in names]
    if not goes_on.any():
        prefixes = pa.array([f'{name}:"' for name in told])
        members = _joined(prefixes.take(pa.array(codes, pa.int64())), _escaped(texts), '"')
    else:
        begins = ~goes_on & np.append(goes_on[1:], False)
        ends = goes_on & ~np.append(goes_on[1:], False)
        opened = pa.array([*(f'{name}:"' for name in told), *(f'{name}:["' for name in told), '"'])
        choices = np.where(goes_on, 2 * len(told), codes + len(told) * begins)
        closed = pa.array(['"', '"]']).take(pa.array(ends.astype(np.int64)))
        members = _joined(opened.take(pa.array(choices, pa.int64())), _escaped(texts), closed)
    offsets = np.searchsorted(owners, np.arange(count + 1)).astype(np.int32)
    lists: Any = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), members)
    return _joined("{", pc.binary_join(lists, ","), "}")


def _joined(*parts: Any) -> Any:  # noqa: ANN401 - the stubs take no mixture of arrays and texts
    return pc.binary_join_element_wise(*parts, "")


def _replaced(texts: Texts, pairs: Mapping[str, str]) -> Texts:
    """The texts with some of their parts replaced, one after the other."""
    for old, new in pairs.items():
        texts = pc.replace_substring(texts, old, new)
    return texts


def _escaped(texts: Texts) -> Texts:
    """The texts as they stand in JSON; most have nothing that must be escaped."""
    held = memoryview(texts.buffers()[2] or b"").tobytes()
    return _replaced(texts, {old: new for old, new in _ESCAPES.items() if old.encode() in held})


def _no_texts() -> Texts:
    return pa.array([], pa.string())
