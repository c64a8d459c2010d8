"""What the edge counts and logs about each request, and the queue figures it shows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from waybill.model.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import CollectorRegistry

    from waybill.http.exchange import Exchange
    from waybill.ports.job_store import QueueStats

logger = logging.getLogger(__name__)

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0)
FIRST_REFUSAL: Final = 400


class EdgeMetrics:
    """Latencies by dialect, method, route and status; one log line per request.

    An answered read that ran in the event loop is logged at debug level: polls come by the
    hundred per second and say nothing.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._latency = Histogram(
            "waybill_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("dialect", "method", "route", "status"),
            registry=registry,
            buckets=BUCKETS,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def note(self, exchange: Exchange, dialect: str, status: int, seconds: float) -> None:
        """Count and log one answered request."""
        target = exchange.target
        route = target.route.path if target is not None else ""
        child = self._children.get((route, exchange.method, status))
        if child is None:
            method = exchange.method if target is not None else ""
            child = self._latency.labels(dialect, method, route, str(status))
            if target is not None:
                self._children[route, exchange.method, status] = child
        child.observe(seconds)
        is_poll = target is not None and target.route.in_loop and status < FIRST_REFUSAL
        level = logging.DEBUG if is_poll else logging.INFO
        if logger.isEnabledFor(level):
            _log(level, exchange, dialect, status, seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A sum of the store as a counter.

    ``known``: labels that show from the start; a counter that appears with its first increase
    hides it from ``rate``.
    """

    source: str
    name: str
    text: str
    label: str
    known: tuple[str, ...]

    def family(self) -> CounterMetricFamily:
        """The counter without values."""
        return CounterMetricFamily(self.name, self.text, labels=(self.label,))


TALLIES: Final = (
    Tally(
        source="records",
        name="waybill_records",
        text="Records of jobs that ended, by what became of them.",
        label="outcome",
        known=("created", "updated", "unchanged", "deleted", "rejected", "skipped", "unprocessed"),
    ),
    Tally(
        source="jobs",
        name="waybill_jobs_finished",
        text="Jobs that ended.",
        label="state",
        known=tuple(state.value for state in JobState if state.is_final),
    ),
    Tally(
        source="phase_seconds",
        name="waybill_phase_seconds",
        text="Time that the phases took, in the runs that ended jobs.",
        label="phase",
        known=(),
    ),
)


class QueueCollector(Collector):
    """Jobs by state, the age of the oldest waiting one, and sums over all that ended.

    Read from the store when scraped: whichever process answers, the figures are those of all.
    """

    def __init__(self, read: Callable[[], QueueStats]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client.registry.Collector``."""
        stats = self._read()
        jobs = GaugeMetricFamily("waybill_jobs", "Jobs by state.", labels=("state",))
        for state, count in stats.jobs_by_state.items():
            jobs.add_metric((state.value,), count)
        yield jobs
        yield GaugeMetricFamily(
            "waybill_queue_oldest_seconds",
            "Age of the oldest job that waits for a worker.",
            value=stats.oldest_waiting_seconds,
        )
        for tally in TALLIES:
            counter = tally.family()
            sums = dict.fromkeys(tally.known, 0.0) | dict(stats.tallies.get(tally.source, {}))
            for value, total in sums.items():
                counter.add_metric((value,), total)
            yield counter

    def describe(self) -> Iterator[Metric]:
        """Name the figures without reading them: registering must not touch the store."""
        yield GaugeMetricFamily("waybill_jobs", "Jobs by state.", labels=("state",))
        yield GaugeMetricFamily("waybill_queue_oldest_seconds", "Age of the oldest waiting job.")
        yield from (tally.family() for tally in TALLIES)


def _log(level: int, exchange: Exchange, dialect: str, status: int, seconds: float) -> None:
    principal = exchange.principal
    logger.log(
        level,
        "request",
        extra={
            "request_id": exchange.request_id,
            "method": exchange.method,
            "path": exchange.shown_path,
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
            "dialect": dialect,
            "credential": principal.credential if principal is not None else None,
            "job": _job_of(exchange),
        },
    )


def _job_of(exchange: Exchange) -> str | None:
    """The job that a request made or asked for, as its client knows it."""
    made = exchange.location.rpartition("/")[2]
    return exchange.path_params.get("id") or made or None
