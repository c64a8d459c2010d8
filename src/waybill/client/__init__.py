"""The library for callers of a server; it imports nothing else of Waybill.

::

    from waybill.client import Client

    with Client("http://127.0.0.1:8080", token) as client:
        job = client.submit(Path("airports.csv"), "airports")
        for job in client.watch(job.id):
            print(f"{job.progress:.0%}")
"""

from __future__ import annotations

from waybill.client.client import Client
from waybill.client.errors import (
    AnswerNotUnderstood,
    ClientError,
    Gone,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RateExceeded,
    RequestFailed,
    ServerFailed,
    ServerUnreachable,
    StateConflict,
)
from waybill.client.shapes import (
    Counts,
    Finding,
    Job,
    JobError,
    JobPage,
    Plan,
    PlannedChange,
    Rejection,
    RejectionPage,
)

__all__ = [
    "AnswerNotUnderstood",
    "Client",
    "ClientError",
    "Counts",
    "Finding",
    "Gone",
    "Job",
    "JobError",
    "JobPage",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Plan",
    "PlannedChange",
    "RateExceeded",
    "Rejection",
    "RejectionPage",
    "RequestFailed",
    "ServerFailed",
    "ServerUnreachable",
    "StateConflict",
]
