"""The settings of a server, as values: each with its default, its meaning and its least value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from waybill.model.limits import GIBIBYTE, Limits


class Secret:
    """A value that hides itself in ``repr``, ``str`` and logs; ``reveal`` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The value in clear text."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('********')" if self._value else "Secret('')"


_NO_SECRET: Final = Secret()


def _setting(default: object, help_text: str, *, least: float | None = None) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(default=default, metadata={"help": help_text, "least": least})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The HTTP side."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 takes a free one.", least=0)
    public_url: str = _setting(
        "", "Base of links in answers, such as https://jobs.example.com; empty: as asked."
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks whose X-Forwarded headers count."
    )
    web_workers: int = _setting(1, "Processes that answer requests.", least=1)
    tls_cert: str = _setting("", "PEM file of the certificate chain; empty: no TLS.")
    tls_key: str = _setting("", "PEM file of the certificate's key.")
    rate_per_second: int = _setting(
        200,
        "Requests per second of one credential, counted by each web process; 0 means no limit.",
        least=0,
    )
    link_seconds: float = _setting(
        3600.0, "How long a link works that needs no credential.", least=60
    )
    token_seconds: int = _setting(3600, "How long an access token works.", least=60)
    metrics_token: Secret = field(
        default=_NO_SECRET, metadata={"help": "Bearer token of /metrics; empty: open to all."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The side that runs jobs."""

    processes: int = _setting(2, "Processes that run jobs, one job each at a time.", least=0)
    threads: int = _setting(2, "Threads that check the chunks of one job.", least=1)
    check_memory_bytes: int = _setting(
        GIBIBYTE // 4, "Memory of the checker before it spills to disk.", least=32 * 1024 * 1024
    )
    lease_seconds: float = _setting(30.0, "How long a run lives without a sign.", least=1)
    heartbeat_seconds: float = _setting(5.0, "How often a run gives a sign.", least=0.1)
    max_attempts: int = _setting(5, "Tries at a job before it is failed.", least=1)
    backoff_seconds: float = _setting(5.0, "Pause before the third try; doubled after.", least=0)
    stop_seconds: float = _setting(10.0, "How long a stop waits for the chunk in hand.", least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long files of finished jobs are kept; the jobs themselves stay."""

    input_days: float = _setting(7.0, "Days that inputs are kept.", least=0)
    reports_days: float = _setting(30.0, "Days that rejections and accepted rows are.", least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged."""

    level: str = _setting("info", "One of debug, info, warning, error.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """What this server asks of others, for its tenants."""

    allowed_networks: tuple[str, ...] = _setting(
        (), "Networks that URLs may name though they are not public; there any port."
    )
    ports: tuple[str, ...] = _setting(("80", "443", "8080", "8443"), "Ports that URLs may name.")
    fetch_seconds: float = _setting(300.0, "How long one file may take to fetch.", least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApidatatoolsSettings:
    """What APIDataTools leaves open."""

    sync_bytes: int = _setting(
        10 * 1024 * 1024, "Content that is answered at once; larger takes a job.", least=1024
    )
    form_seconds: float = _setting(3600.0, "How long a form for an upload works.", least=60)
    upload_days: float = _setting(7.0, "Days that an upload is kept.", least=0)
    pending_uploads: int = _setting(100, "Promised uploads of a user that may be open.", least=1)
    stored_bytes: int = _setting(10 * GIBIBYTE, "Bytes of uploads that a user may have.", least=1)
    status_calls_per_minute: int = _setting(
        120, "Status calls of one key in a minute; 0 means no limit.", least=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VoyadoSettings:
    """What Voyado leaves open."""

    blocking_timeout_default: str = _setting(
        "PT5M", "How long an import waits for its end where the client does not say; PT0S: not."
    )
    host_suffixes: tuple[str, ...] = _setting(
        (), "Further endings of hosts whose first part is a cluster, such as .jobs.example.com."
    )
    queued_imports: int = _setting(
        100, "Imports of a cluster that may be unfinished; more get 503.", least=1
    )
    harmful_ratio: float = _setting(
        0.5, "An import that removes a larger share of a kind is refused.", least=0
    )
    harmful_from: int = _setting(10, "With fewer records of the kind it is not.", least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a server, one attribute per section of ``waybill.toml``."""

    server: ServerSettings = ServerSettings()
    workers: WorkerSettings = WorkerSettings()
    retention: RetentionSettings = RetentionSettings()
    limits: Limits = field(default_factory=Limits)
    outbound: OutboundSettings = OutboundSettings()
    voyado: VoyadoSettings = VoyadoSettings()
    apidatatools: ApidatatoolsSettings = ApidatatoolsSettings()
    log: LogSettings = LogSettings()
