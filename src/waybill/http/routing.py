"""Which dialect and route a method and path belong to, decided before anything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from waybill.dialect import Dialect, Route

PATHS_KEPT: Final = 4096
"""Paths whose route is remembered: a poll asks for the same one again and again."""
_Flags = tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A route and its dialect; ``names``: its path parameters in order."""

    dialect: Dialect
    route: Route
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A route for this method and path."""

    target: Target
    path_params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundHere:
    """No route: ``allowed`` holds the methods of the path, empty where there is no such path.

    ``target``: what one of those methods would lead to.
    """

    dialect: Dialect
    allowed: tuple[str, ...] = ()
    target: Target | None = None


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    targets: dict[str, Target] = field(default_factory=dict)
    space: Dialect | None = None


class RouteTable:
    """All routes of all dialects.

    Where several patterns match, the one that is literal further right wins: a Trax project may be
    called ``import`` and still be told apart by its last segment (contracts, "Paths on one host").
    """

    def __init__(self, dialects: Iterable[Dialect], fallback: Dialect) -> None:
        self._root = _Node(space=fallback)
        self._known: dict[tuple[str, bytes], Found] = {}
        for dialect in dialects:
            for route in dialect.ROUTES:
                self._add_route(dialect, route)
            for space in dialect.SPACES:
                self._node(space).space = dialect

    def find(self, method: str, raw_path: bytes) -> Found | NotFoundHere:
        """The route of a path as it came over the wire; ``HEAD`` is answered by ``GET``."""
        known = self._known.get((method, raw_path))
        if known is not None:
            return known
        found = self._find(method, raw_path)
        if isinstance(found, Found):
            if len(self._known) >= PATHS_KEPT:
                self._known.clear()
            self._known[method, raw_path] = found
        return found

    def _find(self, method: str, raw_path: bytes) -> Found | NotFoundHere:
        segments = split_path(raw_path)
        if segments is None:
            return NotFoundHere(dialect=self._space(_raw_segments(raw_path)))
        wanted = "GET" if method == "HEAD" else method
        matches = sorted(_walk(self._root, segments, 0, (), ()), key=_literal_from_the_right)
        for node, values, _ in reversed(matches):
            target = node.targets.get(wanted)
            if target is not None and (params := _fitting(target, values)) is not None:
                return Found(target=target, path_params=params)
        return self._refusal(
            segments,
            [
                target
                for node, values, _ in matches
                for target in node.targets.values()
                if _fitting(target, values) is not None
            ],
        )

    def _refusal(self, segments: tuple[str, ...], targets: list[Target]) -> NotFoundHere:
        if not targets:
            return NotFoundHere(dialect=self._space(segments))
        methods = {target.route.method for target in targets}
        if "GET" in methods:
            methods.add("HEAD")
        last = targets[-1]
        return NotFoundHere(dialect=last.dialect, allowed=tuple(sorted(methods)), target=last)

    def _space(self, segments: tuple[str, ...]) -> Dialect:
        owner = self._root.space
        for depth in range(1, len(segments) + 1):
            matches = _walk(self._root, segments[:depth], 0, (), (), spaces=True)
            spaces = [match for match in matches if match[0].space is not None]
            if spaces:
                owner = max(spaces, key=_literal_from_the_right)[0].space
        if owner is None:
            raise LookupError("the route table has no fallback dialect")
        return owner

    def _add_route(self, dialect: Dialect, route: Route) -> None:
        names = tuple(part[1:-1] for part in _parts(route.path) if part.startswith("{"))
        node = self._node(route.path)
        if route.method in node.targets:
            raise ValueError(f"two routes for {route.method} {route.path}")
        node.targets[route.method] = Target(dialect=dialect, route=route, names=names)

    def _node(self, pattern: str) -> _Node:
        node = self._root
        for part in _parts(pattern):
            if part.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(part, _Node())
        return node


def split_path(raw_path: bytes) -> tuple[str, ...] | None:
    """The decoded segments of a path; ``None`` where one hides a slash or is not text.

    Nothing is normalised: ``..`` and empty segments stay what they are, and match no route.
    """
    if not raw_path.startswith(b"/"):
        return None
    if b"%" not in raw_path:
        return tuple(raw_path[1:].decode("latin-1").split("/")) if raw_path.isascii() else None
    parts = [unquote_to_bytes(part) for part in raw_path[1:].split(b"/")]
    if any(b"/" in part or any(byte < 0x20 for byte in part) for part in parts):  # noqa: PLR2004 - first printable character
        return None
    try:
        return tuple(part.decode("utf-8") for part in parts)
    except UnicodeDecodeError:
        return None


def _raw_segments(raw_path: bytes) -> tuple[str, ...]:
    """The segments of a path that is none, to tell whose it would be."""
    return tuple(raw_path[1:].decode("latin-1").split("/"))


def _fitting(target: Target, values: tuple[str, ...]) -> dict[str, str] | None:
    """The path's parameters by name; ``None`` where one is not what the route takes there."""
    params = dict(zip(target.names, values, strict=True))
    wanted = target.route.patterns
    return params if all(wanted[name].fullmatch(params[name]) for name in wanted) else None


def _parts(pattern: str) -> list[str]:
    return pattern[1:].split("/")


def _walk(
    node: _Node,
    segments: tuple[str, ...],
    depth: int,
    values: tuple[str, ...],
    flags: _Flags,
    *,
    spaces: bool = False,
) -> Iterator[tuple[_Node, tuple[str, ...], _Flags]]:
    if depth == len(segments):
        if node.targets or (spaces and node.space):
            yield node, values, flags
        return
    segment = segments[depth]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _walk(literal, segments, depth + 1, values, (*flags, True), spaces=spaces)
    if node.parameter is not None and segment:
        below = node.parameter
        yield from _walk(
            below, segments, depth + 1, (*values, segment), (*flags, False), spaces=spaces
        )


def _literal_from_the_right(match: tuple[_Node, tuple[str, ...], _Flags]) -> _Flags:
    return match[2][::-1]
