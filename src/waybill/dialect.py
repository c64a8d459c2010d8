"""What a dialect is: one wire contract over the core, as a module of plain functions.

A dialect module has ``NAME``, ``ROUTES`` and ``render_error``. It parses a ``Request``, calls one
command or insight, and renders a ``Response``. It knows no framework and no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from waybill.model.limits import Limits

if TYPE_CHECKING:
    import re

    from waybill.engine.access_tokens import AccessTokens
    from waybill.engine.commands import Commands, Idempotency
    from waybill.engine.insights import Insights
    from waybill.engine.links import Links
    from waybill.engine.transforms import Transforms
    from waybill.engine.uploads import Uploads
    from waybill.errors import WaybillError
    from waybill.model.job import InputFile, Job
    from waybill.model.principal import Principal, Scope
    from waybill.ports.clock import IdSource


class Access(StrEnum):
    """What ``authenticate`` finds in a request.

    ``credential``: the secret of one. ``issued``: a token that ``Core.tokens`` gave.
    """

    CREDENTIAL = "credential"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """How a dialect lets callers in.

    ``project_rate_per_second``: requests of a whole project in a second and web process, beside
    the limit of the server for each credential; 0 for none. ``before_method``: a caller who may not
    use a path is told so before the methods that it takes. ``host_suffixes``: a host that ends so
    names a project by what stands before, in any case; an unknown one is refused first of all.
    """

    access: Access = Access.CREDENTIAL
    project_rate_per_second: int = 0
    before_method: bool = False
    host_suffixes: tuple[str, ...] = ()


class BodyKind(StrEnum):
    """What the edge does with a body before the handler runs.

    ``none``: refused where there is one. ``small``: read whole, up to ``small_body_bytes``.
    ``form``: the same, its fields parsed where it is multipart or urlencoded; files are refused.
    ``upload``: streamed to the blob store; multipart or raw, as the content type says.
    ``content``: raw, whatever its type; in memory up to ``small_body_bytes``, else in a file that
    need not outlive a crash, for nothing will point at it.
    """

    NONE = "none"
    SMALL = "small"
    FORM = "form"
    UPLOAD = "upload"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """An uploaded file as stored: durable, not yet pointed at by any job.

    ``charset``: what its Content-Type declares; empty where it declares none.
    """

    part: str
    file: InputFile
    charset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body after the edge: bytes in memory, the fields of a form, or the parts of an upload.

    ``fields``: of a form or multipart body by name. ``files``: stored files; a raw upload is
    one file whose ``part`` is empty.
    """

    raw: bytes = b""
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[StoredFile] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, authenticated, its body stored.

    ``headers``: names in lower case, values joined by ``, ``. ``query``: in order, repeats kept.
    ``base_url``: scheme and host for absolute links, no slash at its end.
    """

    method: str
    path: str
    base_url: str
    request_id: str
    path_params: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    principal: Principal | None = None
    body: Body = Body()
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """A file of known size, of which the client may have parts (RFC 9110, 14).

    ``tag``: another text for another content. ``read``: its bytes from an offset on.
    """

    size_bytes: int
    tag: str
    read: Callable[[int], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer: a body of bytes, a file, or an iterator that the edge streams and closes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] | ServedFile = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Answer when the job is final or changed, or after ``seconds``, whichever is first.

    ``until_final=False`` ends the wait at any change of state. The edge holds it as a future: no
    thread waits.
    """

    job: Job
    seconds: float
    render: Callable[[Job], Response]
    until_final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What a handler may call, and the limits that it publishes.

    ``rate_per_second``: requests per credential, 0 for no limit. ``own_settings``: those of a
    dialect, by its name.
    """

    commands: Commands
    insights: Insights
    links: Links
    tokens: AccessTokens
    transforms: Transforms
    uploads: Uploads
    ids: IdSource
    limits: Limits = field(default_factory=Limits)
    rate_per_second: int = 0
    own_settings: Mapping[str, object] = field(default_factory=dict)


Check = Callable[[Core, "Request"], None]
BodyLimit = Callable[[Core, "Request"], int]
RateLimit = Callable[[Core], int]
Handler = Callable[[Core, Request], "Response | Wait"]


class Authenticate(Protocol):
    """Finds the secret in a request's headers; ``None`` where there is none."""

    def __call__(self, headers: Mapping[str, str]) -> str | None:
        """The bare secret as the client sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """A query parameter of a route, for parsing, refusing strangers, and OpenAPI."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One documented answer of a route: a wire struct, or a media type of raw bytes.

    ``also``: media types of raw bytes that the client may ask for instead of the struct.
    """

    description: str
    struct: type | None = None
    media_types: Sequence[str] = ("application/json",)
    also: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of a dialect.

    ``path``: literal segments and ``{name}`` parameters. ``scope``: needed; ``None`` means open to
    all. ``in_loop``: the handler only reads, under a millisecond, and runs in the event loop.
    ``request_media``: media types of the body with their OpenAPI schema; for a form or an upload
    the edge takes no others, unless ``*/*`` is among them. ``patterns``: by parameter of the path,
    what a segment must match as a whole; a path with any other has no route here. ``project``: the
    path parameter that names the caller's project; another one is refused before a body is read.
    ``file_parts``: parts of a multipart body that are files even without a file name.
    ``ends_with_file``: what follows the file of a multipart body is not looked at. ``precheck``:
    refuses, before a body is read, what can be known by then; in the event loop where
    ``prechecks_in_loop``, for it looks at the request alone. ``most_bytes``: of the body, beside
    the limit of the server. ``calls_per_minute``: of one credential, to all routes that have the
    same function here, in one web process; 0 for no limit. ``strict_query``: unknown query
    parameters are refused. The rest documents it.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    body: BodyKind = BodyKind.NONE
    in_loop: bool = False
    precheck: Check | None = None
    prechecks_in_loop: bool = False
    most_bytes: BodyLimit | None = None
    calls_per_minute: RateLimit | None = None
    strict_query: bool = False
    idempotent_by_key: bool = False
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    project: str = ""
    file_parts: frozenset[str] = frozenset()
    ends_with_file: bool = False
    summary: str = ""
    description: str = ""
    query: Sequence[QueryParameter] = ()
    headers: Sequence[QueryParameter] = ()
    request_media: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)


class Dialect(Protocol):
    """The names that a dialect module must have.

    ``SPACES``: path prefixes such as ``/v1`` or ``/api/{v}/{project}/async-job``, inside which a
    path without a route is refused in this dialect's own form.
    """

    NAME: str
    ROUTES: Sequence[Route]
    SPACES: Sequence[str]
    ADMISSION: Admission

    def authenticate(self, headers: Mapping[str, str]) -> str | None:
        """The bare secret or token of a request, ``None`` where there is none.

        Raises:
            RequestInvalid: it is not in the form that this dialect wants.
        """

    def render_error(self, error: WaybillError, request: Request) -> Response:
        """The answer to an error, in this dialect's own form."""


def caller(request: Request) -> Principal:
    """The principal; every route with a scope has one."""
    if request.principal is None:
        raise TypeError("a route without a scope has no caller")
    return request.principal


def attachment(name: str) -> str:
    """``Content-Disposition`` for a file name of any content; nothing of it can break out."""
    kept = "".join(c for c in name if c.isprintable()).replace("/", "_").replace("\\", "_")
    plain = "".join(c if c.isascii() and c not in '"%;' else "_" for c in kept) or "download"
    if plain == kept:
        return f'attachment; filename="{plain}"'
    exact = "".join(_percent(byte) for byte in kept.encode("utf-8", "replace"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact or 'download'}"


def _percent(byte: int) -> str:
    character = chr(byte)
    is_plain = character.isascii() and (character.isalnum() or character in "-._~")
    return character if is_plain else f"%{byte:02X}"
