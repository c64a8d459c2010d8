"""Whether a name stands twice in one object, told by hashes of 128 bits.

Of an object that goes on beyond what is read at a time its names are kept, at 16 bytes each; of any
other nothing is. Names are compared as the characters that they mean, not as they are written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.validation.json_structure import BACKSLASH, BRACKET_KIND, COLON, OPEN_BRACE, trimmed
from waybill.validation.record_index import as_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from waybill.transforms.json_scanner import Key
    from waybill.validation.json_structure import Flags, Structure
    from waybill.validation.record_index import Offsets

    Hashes = npt.NDArray[np.uint64]

_WORD_BYTES: Final = 8
_WORD: Final = np.dtype("<u8")
_LOW_BYTES: Final = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=_WORD)
"""By a number of bytes: the mask of that many at the low end of a word."""

_MOST_ARRAY_BYTES: Final = 64
"""Longer names are hashed one by one."""

_FACTORS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd, and with bits all over."""

_HALF: Final = np.uint64(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The names of the members in a text, as parallel arrays in order.

    ``starts``: of their quotes. ``owners``: the number of the object of each: the level of one that
    was open at the begin of the text, from 0, and any higher number for others. ``hashes``: two
    rows.
    """

    starts: Offsets
    owners: Offsets
    hashes: Hashes


def keys_of_structure(text: bytes, structure: Structure, depth: int) -> Keys:
    """The names in a valid text, at whose begin so many containers were open.

    The number of an object that begins in it is ``depth`` and the number of its mark.
    """
    colons = np.flatnonzero(structure.marks == COLON)
    starts, ends = structure.places[colons - 1] + 1, structure.places[colons]
    starts, ends = trimmed(as_array(text), starts, ends)
    escapes = structure.backslashes
    is_escaped = np.zeros(starts.size, dtype=np.bool_)
    if escapes.size:
        is_escaped = escapes.searchsorted(starts) < escapes.searchsorted(ends)
    return Keys(
        starts=starts,
        owners=_owners(structure, colons, depth),
        hashes=_hash_spans(text, starts + 1, ends - 1, is_escaped),
    )


def keys_of_scan(found: Sequence[Key]) -> Keys:
    """Names that were read one by one."""
    return Keys(
        starts=np.array([key.start for key in found], dtype=np.int64),
        owners=np.array([key.owner for key in found], dtype=np.int64),
        hashes=_hash_names([_characters(key.text) for key in found]),
    )


class KeyBook:
    """The names of the objects that are open."""

    def __init__(self) -> None:
        self._levels: list[_Names] = []

    def enter(self, keys: Keys, owners: Sequence[int]) -> int | None:
        """Take up the names of a text, behind which the containers of those numbers are open.

        The offset of the first name that stands twice; ``None`` where none does.
        """
        repeated = [_first_repeated(keys), *self._known(keys)]
        offsets = [offset for offset in repeated if offset is not None]
        if offsets:
            return min(offsets)
        depth = len(self._levels)
        levels = [self._levels[owner] if owner < depth else _Names() for owner in owners]
        for names, owner in zip(levels, owners, strict=True):
            names.add(keys.hashes[:, keys.owners == owner])
        self._levels = levels
        return None

    def _known(self, keys: Keys) -> list[int]:
        """For each object that was open before, its first name that it had then."""
        found = []
        for level in set(keys.owners[keys.owners < len(self._levels)].tolist()):
            mine = np.flatnonzero(keys.owners == level)
            is_known = self._levels[level].hold(keys.hashes[:, mine])
            if is_known.any():
                found.append(int(keys.starts[mine[is_known.argmax()]]))
        return found


class _Names:
    """The hashes of the names of one object: in few runs, each sorted by the first row."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def hold(self, hashes: Hashes) -> Flags:
        """Which of these it has."""
        order = hashes[0].argsort()  # so that neighbours are looked for one after another
        in_order = hashes[:, order]
        found = np.zeros(order.size, dtype=np.bool_)
        for run in self._runs:
            at = np.minimum(run[0].searchsorted(in_order[0]), run.shape[1] - 1)
            found[order] |= (run[:, at] == in_order).all(axis=0)
        return found

    def add(self, hashes: Hashes) -> None:
        """Take up some; runs of like size become one, so each name is moved few times."""
        if not hashes.shape[1]:
            return
        run = _sorted(hashes)
        while self._runs and self._runs[-1].shape[1] < 2 * run.shape[1]:
            run = _sorted(np.concatenate((self._runs.pop(), run), axis=1))
        self._runs.append(run)


def _sorted(hashes: Hashes) -> Hashes:
    return hashes[:, hashes[0].argsort(kind="stable")]


def _first_repeated(keys: Keys) -> int | None:
    """The offset of the first name that stands before in the same text and object."""
    mixed = keys.hashes[0] + keys.owners.astype(np.uint64) * _FACTORS[1]
    in_order = np.sort(mixed)
    if not (in_order[1:] == in_order[:-1]).any():
        return None
    order = np.lexsort((keys.hashes[1], keys.hashes[0], keys.owners))
    owners, hashes = keys.owners[order], keys.hashes[:, order]
    is_same = owners[1:] == owners[:-1]
    is_same &= (hashes[:, 1:] == hashes[:, :-1]).all(axis=0)
    return int(keys.starts[order[1:][is_same]].min()) if is_same.any() else None


def _owners(structure: Structure, colons: Offsets, depth: int) -> Offsets:
    """The numbers of the objects that the colons stand in.

    Behind each bracket it is the last one opened at the same depth; if there is none, the
    container was open before.
    """
    brackets = np.flatnonzero(structure.marks > COLON)
    depths = structure.depths[brackets]
    is_opening = (structure.marks[brackets] | BRACKET_KIND) == OPEN_BRACE
    numbers = np.where(is_opening, brackets + depth, -1)
    owners = np.full(brackets.size + 1, depth - 1, dtype=np.int64)
    for level in range(int(depths.min(initial=1)), int(depths.max(initial=0)) + 1):
        mine = np.flatnonzero(depths == level)
        opened = np.maximum.accumulate(numbers[mine])
        owners[mine + 1] = np.where(opened < 0, level + depth - 1, opened)
    stretches = np.diff(brackets, prepend=0, append=structure.marks.size)
    owners_at: Offsets = np.repeat(owners, stretches)[colons]
    return owners_at


def _hash_spans(text: bytes, starts: Offsets, ends: Offsets, is_escaped: Flags) -> Hashes:
    hashes = np.empty((2, starts.size), dtype=np.uint64)
    is_apart = is_escaped | (ends - starts > _MOST_ARRAY_BYTES)
    if not is_apart.any():
        return _hash_words(text, starts, ends)
    alike, apart = np.flatnonzero(~is_apart), np.flatnonzero(is_apart)
    hashes[:, alike] = _hash_words(text, starts[alike], ends[alike])
    spans = zip(starts[apart].tolist(), ends[apart].tolist(), strict=True)
    hashes[:, apart] = _hash_names([_characters(text[start:end]) for start, end in spans])
    return hashes


def _hash_names(names: Sequence[bytes]) -> Hashes:
    """The hashes of names without escapes."""
    hashes = np.empty((2, len(names)), dtype=np.uint64)
    edges = np.array([0, *accumulate(map(len, names))], dtype=np.int64)
    is_long = np.diff(edges) > _MOST_ARRAY_BYTES
    short = np.flatnonzero(~is_long)
    hashes[:, short] = _hash_words(b"".join(names), edges[:-1][short], edges[1:][short])
    for at in np.flatnonzero(is_long).tolist():
        digest = blake2b(names[at], digest_size=2 * _WORD_BYTES).digest()
        hashes[:, at] = np.frombuffer(digest, dtype=_WORD)
    return hashes


def _hash_words(text: bytes, starts: Offsets, ends: Offsets) -> Hashes:
    """The hashes of spans that are not long, by words of eight bytes."""
    padded = text + bytes(_WORD_BYTES)
    words: npt.NDArray[np.uint64] = np.ndarray(len(text) + 1, _WORD, padded, strides=(1,))
    sizes = ends - starts
    hashes: Hashes = np.multiply.outer(np.array(_FACTORS), sizes.astype(np.uint64))
    _mix(hashes, words[starts] & _LOW_BYTES[np.minimum(sizes, _WORD_BYTES)])
    for step in range(_WORD_BYTES, int(sizes.max(initial=0)), _WORD_BYTES):
        mine = np.flatnonzero(sizes > step)
        mixed = hashes[:, mine]
        rest = np.minimum(sizes[mine] - step, _WORD_BYTES)
        _mix(mixed, words[starts[mine] + step] & _LOW_BYTES[rest])
        hashes[:, mine] = mixed
    return hashes


def _mix(hashes: Hashes, words: Hashes) -> None:
    """Take one word more into each hash; no two words give the same."""
    hashes ^= words
    hashes *= np.array(_FACTORS)[:, np.newaxis]
    hashes ^= hashes >> _HALF


def _characters(name: bytes) -> bytes:
    """The characters that a name means, as UTF-8; half a pair of surrogates as if it were one."""
    if BACKSLASH not in name:
        return name
    return str(json.loads(b'"%b"' % name)).encode("utf-8", "surrogatepass")
